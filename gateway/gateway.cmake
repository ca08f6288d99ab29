# What the gateway room links beside the stack: yaml-cpp, for gateway/config* alone.
find_package(yaml-cpp REQUIRED)
target_link_libraries(braid_gateway PRIVATE ${YAML_CPP_LIBRARIES})
