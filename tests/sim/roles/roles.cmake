# The whole gateway and the whole concentrator in one simulated world.
file(GLOB roles_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/roles/*.cpp)
add_library(braid_roles STATIC ${roles_sources})
target_link_libraries(braid_roles PUBLIC braid_sim braid_gateway)

braid_tests(roles tests/sim/roles braid_roles)
# What connections cost each role in memory: a program of its own, since it counts every allocation.
braid_tests(memory tests/sim/memory braid_roles)
target_sources(test_memory PRIVATE tests/sim/memory/ledger.cpp)
