# The doors and the host settings against the real kernel, in namespaces the program makes itself.
file(GLOB platform_lab_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/lab/platform_*_test.cpp)
add_executable(test_platform_lab ${platform_lab_sources})
target_link_libraries(test_platform_lab PRIVATE braid_platform braid_doctest_main)
add_test(NAME platform_lab COMMAND test_platform_lab WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(platform_lab PROPERTIES TIMEOUT 300)
