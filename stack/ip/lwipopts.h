/* lwIP as braid uses it: the IP layer alone. IPv4 and IPv6 input checks, reassembly, ICMP echo.
 *
 * TCP is braid's own (stack/tcp), UDP and the rest are handed up raw, and no thread, timer list or
 * socket API is compiled in: LwipLayer calls the reassembly timer itself, on virtual time, and
 * only while a fragment waits. Values not named here are lwIP's defaults. */
#ifndef BRAID_LWIPOPTS_H
#define BRAID_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS 0
#define LWIP_SINGLE_NETIF 1

#define LWIP_IPV4 1
#define LWIP_IPV6 1
#define LWIP_RAW 1
#define LWIP_ICMP 1
#define LWIP_ICMP6 1
#define LWIP_TCP 0
#define LWIP_UDP 0
#define LWIP_DNS 0
#define LWIP_ARP 0
#define LWIP_ETHERNET 0
#define LWIP_DHCP 0
#define LWIP_AUTOIP 0
#define LWIP_IGMP 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_NETIF_LOOPBACK 0

/* The doors are routers' links: no neighbour discovery, no address of lwIP's own choosing. */
#define LWIP_IPV6_MLD 0
#define LWIP_IPV6_AUTOCONFIG 0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0
#define LWIP_IPV6_SCOPES 0
#define LWIP_IPV6_NUM_ADDRESSES 1
#define LWIP_ND6_QUEUEING 0
#define LWIP_ND6_ALLOW_RA_UPDATES 0

/* Reassembly of IPv4, 30 s as Linux has it. That of IPv6 is ours: see lwip_layer.h. */
#define IP_REASSEMBLY 1
#define IP_REASS_MAXAGE 30
#define MEMP_NUM_REASSDATA 64
#define IP_REASS_MAX_PBUFS 512
#define LWIP_IPV6_REASS 0
#define IP_FRAG 1 /* a large echo reply */
#define LWIP_IPV6_FRAG 1
#define IP_FORWARD 0
#define LWIP_IPV6_FORWARD 0

/* Memory: pbufs from malloc, the fixed small objects from pools whose use is counted. */
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 0
#define MEM_ALIGNMENT 8
#define MEMP_NUM_RAW_PCB 1
#define MEMP_NUM_PBUF 64
#define PBUF_POOL_SIZE 1
#define MEMP_NUM_FRAG_PBUF 64
#define PBUF_LINK_HLEN 0
#define LWIP_SUPPORT_CUSTOM_PBUF 1 /* packets stay where the device put them */

#define LWIP_STATS 1
#define LWIP_STATS_LARGE 1
#define MEMP_STATS 1
#define MEM_STATS 0
#define LINK_STATS 0

#endif
