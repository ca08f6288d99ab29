# What the gateway room links beside the stack: yaml-cpp, for gateway/config* alone.
find_package(yaml-cpp REQUIRED)
target_link_libraries(braid_gateway PRIVATE ${YAML_CPP_LIBRARIES})

# The program: the only part that sees both gateway/ and platform/.
file(GLOB program_sources CONFIGURE_DEPENDS gateway/program/*.cpp)
add_executable(braid gateway/main.cpp ${program_sources})
target_link_libraries(braid PRIVATE braid_gateway braid_platform)
