# relay: the null forwarder tools/bench measures beside braid.
add_executable(relay ${CMAKE_SOURCE_DIR}/tools/relay/main.cpp)
target_link_libraries(relay PRIVATE braid_platform braid_wire)
