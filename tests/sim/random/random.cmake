# Random worlds: a fixed small number of seeds as a test, any number by hand:
#   sim_seeds --from 1 --count 100000
file(GLOB seeds_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
add_executable(sim_seeds ${seeds_sources})
target_link_libraries(sim_seeds PRIVATE braid_roles)
add_test(NAME sim_seeds COMMAND sim_seeds --from 1 --count 300 --trace-check)
set_tests_properties(sim_seeds PROPERTIES TIMEOUT 600)
