#include "stack/mptcp/keys.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "stack/base/bytes.h"
#include "stack/base/ensure.h"

namespace braid::mptcp {
namespace {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256_of(MptcpKey key) {
  std::array<std::uint8_t, 8> message;
  store_be64(message.data(), key);
  Sha256 digest;
  ENSURE(EVP_Digest(message.data(), message.size(), digest.data(), nullptr, EVP_sha256(),
                    nullptr) == 1);
  return digest;
}

Sha256 hmac_of(MptcpKey sender, MptcpKey receiver, Bytes message) {
  std::array<std::uint8_t, 16> key;
  store_be64(key.data(), sender);
  store_be64(key.data() + 8, receiver);
  Sha256 digest;
  ENSURE(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(),
              message.size(), digest.data(), nullptr) != nullptr);
  return digest;
}

}  // namespace

std::uint32_t token_of(MptcpKey key) { return load_be32(sha256_of(key).data()); }

std::uint64_t initial_dsn_of(MptcpKey key) { return load_be64(sha256_of(key).data() + 24); }

wire::JoinHmac join_hmac(MptcpKey sender, MptcpKey receiver, std::uint32_t sender_nonce,
                         std::uint32_t receiver_nonce) {
  std::array<std::uint8_t, 8> message;
  store_be32(message.data(), sender_nonce);
  store_be32(message.data() + 4, receiver_nonce);
  const Sha256 whole = hmac_of(sender, receiver, message);
  wire::JoinHmac hmac;
  std::copy_n(whole.begin(), hmac.size(), hmac.begin());
  return hmac;
}

std::uint64_t truncated_join_hmac(const wire::JoinHmac& hmac) { return load_be64(hmac.data()); }

std::uint64_t add_addr_hmac(MptcpKey sender, MptcpKey receiver, std::uint8_t address_id,
                            const wire::IpAddress& address, std::uint16_t port) {
  std::array<std::uint8_t, 1 + 16 + 2> message{};
  const Bytes address_bytes = address.bytes();
  message[0] = address_id;
  std::copy(address_bytes.begin(), address_bytes.end(), message.begin() + 1);
  store_be16(message.data() + 1 + address_bytes.size(), port);
  const Sha256 whole =
      hmac_of(sender, receiver, Bytes(message.data(), 1 + address_bytes.size() + 2));
  return load_be64(whole.data() + 24);
}

}  // namespace braid::mptcp
