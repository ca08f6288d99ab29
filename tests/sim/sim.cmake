# The simulator: a library for whoever tests against it (braid_sim), the link model alone for
# tools/linkemu (braid_link), and the simulator's own tests.
set(sim_dir ${CMAKE_SOURCE_DIR}/tests/support/sim)
file(GLOB sim_sources CONFIGURE_DEPENDS ${sim_dir}/*.cpp)
list(REMOVE_ITEM sim_sources ${sim_dir}/link_model.cpp)

add_library(braid_link STATIC ${sim_dir}/link_model.cpp)
target_link_libraries(braid_link PUBLIC braid_base)
add_library(braid_sim STATIC ${sim_sources})
target_link_libraries(braid_sim PUBLIC braid_link braid_wire)
include(${CMAKE_SOURCE_DIR}/tools/linkemu/linkemu.cmake)

braid_tests(sim tests/sim braid_sim braid_linkemu)
include(${CMAKE_SOURCE_DIR}/tests/sim/law/law.cmake)
