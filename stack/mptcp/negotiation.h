// Negotiation: MP_CAPABLE from both sides (RFC 8684 3.1), as a plain machine without TCP.
//
//   initiator                       responder
//   syn()            (4)  ------>   receive_syn
//   receive_syn_ack       <------   syn_ack()        (12)
//   ack()           (20)  ------>   receive_ack
//   data()       (22/24)  ------>   receive_ack      (tolerated any number of times, M22)
//
// agreed() says whether both SYNs spoke MPTCP. Any doubt ends in "not agreed": plain TCP (M23).
#pragma once

#include <cstdint>
#include <optional>

#include "stack/mptcp/keys.h"
#include "stack/wire/tcp_options.h"

namespace braid::mptcp {

class Negotiation {
 public:
  enum class Role : std::uint8_t { kInitiator, kResponder };
  enum class Wish : std::uint8_t { kMptcp, kPlainTcp };
  struct Policy {
    Wish wish = Wish::kMptcp;
    bool require_checksum = false;  // A in our MP_CAPABLE
    bool deny_joins = false;        // C in our MP_CAPABLE
  };

  Negotiation() = default;
  Negotiation(Role role, MptcpKey local_key, Policy policy);

  // Responder: what the SYN offered. Decides agreed().
  void receive_syn(const wire::TcpOptions& options);
  // Initiator: what the SYN-ACK answered. Decides agreed(), and brings the peer's key.
  void receive_syn_ack(const wire::TcpOptions& options);
  // Responder: the MP_CAPABLE of the third ACK or of data. False: it contradicts what was agreed.
  bool receive_ack(const wire::MpCapable& option);
  // MPTCP is off, for good.
  void give_up() { agreed_ = false; }

  Role role() const { return role_; }
  bool wishes() const { return policy_.wish == Wish::kMptcp; }
  bool agreed() const { return agreed_; }
  bool checksum() const { return checksum_; }  // DSS checksums, both directions (M26)
  bool peer_denies_joins() const { return peer_denies_joins_; }  // M29
  MptcpKey local_key() const { return local_key_; }
  std::optional<MptcpKey> remote_key() const { return remote_key_; }

  wire::MpCapable syn() const;
  wire::MpCapable syn_ack() const;
  wire::MpCapable ack() const;  // needs remote_key()
  wire::MpCapable data(std::uint16_t length, std::optional<std::uint16_t> checksum) const;

 private:
  Role role_ = Role::kInitiator;
  Policy policy_;
  MptcpKey local_key_ = 0;
  std::optional<MptcpKey> remote_key_;
  bool agreed_ = false;
  bool checksum_ = false;
  bool peer_denies_joins_ = false;
};

}  // namespace braid::mptcp
