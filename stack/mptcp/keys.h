// Keys: tokens, initial data sequence numbers and HMACs of RFC 8684 (3.1, 3.2, 3.4.1). The only
// file of the stack that calls OpenSSL.
#pragma once

#include <cstdint>

#include "stack/wire/ip_address.h"
#include "stack/wire/mptcp_options.h"

namespace braid::mptcp {

using wire::MptcpKey;

std::uint32_t token_of(MptcpKey key);        // M32: most significant 32 bits of SHA-256
std::uint64_t initial_dsn_of(MptcpKey key);  // M32: least significant 64 bits

// M41: HMAC-SHA256, key = sender's key | receiver's key, message = sender's nonce | receiver's.
wire::JoinHmac join_hmac(MptcpKey sender, MptcpKey receiver, std::uint32_t sender_nonce,
                         std::uint32_t receiver_nonce);         // leftmost 160 bits
std::uint64_t truncated_join_hmac(const wire::JoinHmac& hmac);  // leftmost 64 bits
// M88: rightmost 64 bits over address id | address | port (0 when none).
std::uint64_t add_addr_hmac(MptcpKey sender, MptcpKey receiver, std::uint8_t address_id,
                            const wire::IpAddress& address, std::uint16_t port);

}  // namespace braid::mptcp
