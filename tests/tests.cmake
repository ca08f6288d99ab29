# Tests: one doctest program per room under tests/unit/<room>, plus conformance, property and sim.
enable_testing()

file(GLOB support_sources CONFIGURE_DEPENDS tests/support/*.cpp)
list(FILTER support_sources EXCLUDE REGEX "/doctest_main\\.cpp$")
add_library(braid_doctest_main STATIC tests/support/doctest_main.cpp)
target_link_libraries(braid_doctest_main PUBLIC braid_flags)

# braid_tests(NAME DIRECTORY libraries...): every *_test.cpp of the directory as one program.
function(braid_tests name directory)
  file(GLOB sources CONFIGURE_DEPENDS ${directory}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE ${ARGN} braid_doctest_main)
  add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()

foreach(room base wire cc tcp sched mptcp convert ip gateway platform)
  braid_tests(${room} tests/unit/${room} braid_${room})
endforeach()
foreach(part support sim property fuzz conformance interop)
  if(EXISTS ${CMAKE_SOURCE_DIR}/tests/${part}/${part}.cmake)
    include(tests/${part}/${part}.cmake)
  endif()
endforeach()
include(${CMAKE_SOURCE_DIR}/tests/sim/roles/roles.cmake)
