// JoinHandshake: MP_JOIN of one additional subflow (RFC 8684 3.2), as a plain machine without TCP.
//
//   initiator                  responder
//   syn()        ------>       (made from the SYN)
//   receive_syn_ack  <------   syn_ack()      HMAC of the responder, leftmost 64 bits
//   ack()        ------>       receive_ack    HMAC of the initiator, leftmost 160 bits
#pragma once

#include <cstdint>

#include "stack/mptcp/keys.h"
#include "stack/wire/mptcp_options.h"

namespace braid::mptcp {

class JoinHandshake {
 public:
  struct Keys {
    MptcpKey local = 0;
    MptcpKey remote = 0;
  };
  // Initiator.
  JoinHandshake(Keys keys, std::uint8_t address_id, bool backup, std::uint32_t nonce);
  // Responder to this SYN, whose token is ours.
  JoinHandshake(Keys keys, const wire::MpJoinSyn& syn, std::uint8_t address_id,
                std::uint32_t nonce);

  wire::MpJoinSyn syn() const;
  wire::MpJoinSynAck syn_ack() const;
  wire::MpJoinAck ack() const;
  // False: the HMAC is wrong, and the subflow must be reset (M42, M43).
  bool receive_syn_ack(const wire::MpJoinSynAck& option);
  bool receive_ack(const wire::MpJoinAck& option) const;

  std::uint8_t local_address_id() const { return local_id_; }
  std::uint8_t remote_address_id() const { return remote_id_; }
  bool peer_wants_backup() const { return peer_backup_; }  // M46

 private:
  Keys keys_;
  std::uint8_t local_id_;
  std::uint8_t remote_id_ = 0;
  bool backup_ = false;
  bool peer_backup_ = false;
  std::uint32_t local_nonce_;
  std::uint32_t remote_nonce_ = 0;
};

}  // namespace braid::mptcp
