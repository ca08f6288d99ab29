# The program of the interop tests, which tests/interop/run runs. Of the gateway it takes the host
# machine and its outside door, and neither role.
add_executable(mptcp_peer
               tests/interop/mptcp_peer.cpp tests/interop/options.cpp tests/interop/exchange.cpp
               tests/interop/peer_host.cpp gateway/host.cpp gateway/doors.cpp
               gateway/program/outside_door.cpp)
target_link_libraries(mptcp_peer PRIVATE braid_mptcp braid_ip braid_platform)
