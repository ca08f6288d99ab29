# What the platform room links: libuv drives the loop, libnftables loads the one table.
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(LIBNFTABLES REQUIRED IMPORTED_TARGET libnftables)
target_link_libraries(braid_platform PRIVATE PkgConfig::LIBUV PkgConfig::LIBNFTABLES)

include(tests/lab/platform_lab.cmake)
