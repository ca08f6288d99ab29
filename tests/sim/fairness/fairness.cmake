# Who is hurt by a multipath connection: the tables by hand (sim_fairness), a short form as a test.
add_library(braid_fairness STATIC ${CMAKE_CURRENT_LIST_DIR}/bulk_host.cpp
            ${CMAKE_CURRENT_LIST_DIR}/bottlenecks.cpp ${CMAKE_CURRENT_LIST_DIR}/scenarios.cpp)
target_link_libraries(braid_fairness PUBLIC braid_sim braid_mptcp braid_ip)
add_executable(sim_fairness ${CMAKE_CURRENT_LIST_DIR}/main.cpp)
target_link_libraries(sim_fairness PRIVATE braid_fairness)
# It judges figures; what sanitizers find in these machines other tests show sooner.
if(NOT BRAID_SANITIZE)
  braid_tests(fairness tests/sim/fairness braid_fairness)
endif()
