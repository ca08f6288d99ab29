# lwIP, compiled from source with stack/ip/lwipopts.h: a C library that only braid_ip sees.
if(NOT EXISTS ${BRAID_LWIP_SOURCE}/src/core/ipv4/ip4.c)
  message(FATAL_ERROR "No lwIP source in ${BRAID_LWIP_SOURCE}: run tools/setup, "
                      "or configure with -DBRAID_LWIP_SOURCE=directory")
endif()

set(lwip_core ${BRAID_LWIP_SOURCE}/src/core)
add_library(braid_lwip STATIC
  ${lwip_core}/def.c ${lwip_core}/inet_chksum.c ${lwip_core}/init.c ${lwip_core}/ip.c
  ${lwip_core}/mem.c ${lwip_core}/memp.c ${lwip_core}/netif.c ${lwip_core}/pbuf.c
  ${lwip_core}/raw.c ${lwip_core}/stats.c
  ${lwip_core}/ipv4/icmp.c ${lwip_core}/ipv4/ip4.c ${lwip_core}/ipv4/ip4_addr.c
  ${lwip_core}/ipv4/ip4_frag.c
  ${lwip_core}/ipv6/icmp6.c ${lwip_core}/ipv6/inet6.c ${lwip_core}/ipv6/ip6.c
  ${lwip_core}/ipv6/ip6_addr.c ${lwip_core}/ipv6/ip6_frag.c ${lwip_core}/ipv6/nd6.c)
target_include_directories(braid_lwip SYSTEM PUBLIC ${BRAID_LWIP_SOURCE}/src/include
                           ${CMAKE_SOURCE_DIR}/stack/ip)
# Its warnings are its authors'; the sanitizers watch it all the same, except for unaligned packet
# headers, which lwIP reads as x86 and arm64 allow.
target_compile_options(braid_lwip PRIVATE -w)
if(BRAID_SANITIZE)
  target_compile_options(braid_lwip PRIVATE -fsanitize=address,undefined
                         -fno-sanitize=alignment -fno-sanitize-recover=all)
endif()
if(BRAID_FUZZ)
  target_compile_options(braid_lwip PRIVATE -fsanitize=fuzzer-no-link)
endif()

target_link_libraries(braid_ip PRIVATE braid_lwip)
