/* What lwIP asks of its compiler and host. */
#ifndef BRAID_LWIP_CC_H
#define BRAID_LWIP_CC_H

#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif
/* Stops the program, as ENSURE does: defined in lwip_layer.cpp. */
void braid_lwip_assert_failed(const char* message, const char* file, int line);
#ifdef __cplusplus
}
#endif

#define LWIP_PLATFORM_ASSERT(message) braid_lwip_assert_failed(message, __FILE__, __LINE__)
#define LWIP_PLATFORM_DIAG(message)
#define LWIP_NO_CTYPE_H 0

#endif
