# The whole gateway and the whole concentrator in one simulated world.
file(GLOB roles_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/roles/*.cpp)
add_library(braid_roles STATIC ${roles_sources})
target_link_libraries(braid_roles PUBLIC braid_sim braid_gateway)

braid_tests(roles tests/sim/roles braid_roles)
