# linkemu, and its parts as a library for the tests.
file(GLOB linkemu_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/linkemu/*.cpp)
list(FILTER linkemu_sources EXCLUDE REGEX "/main\\.cpp$")
add_library(braid_linkemu STATIC ${linkemu_sources})
target_link_libraries(braid_linkemu PUBLIC braid_link fmt::fmt)
add_executable(linkemu ${CMAKE_SOURCE_DIR}/tools/linkemu/main.cpp)
target_link_libraries(linkemu PRIVATE braid_linkemu)
