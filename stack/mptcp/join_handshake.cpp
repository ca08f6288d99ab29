#include "stack/mptcp/join_handshake.h"

namespace braid::mptcp {

JoinHandshake::JoinHandshake(Keys keys, std::uint8_t address_id, bool backup, std::uint32_t nonce)
    : keys_(keys), local_id_(address_id), backup_(backup), local_nonce_(nonce) {}

JoinHandshake::JoinHandshake(Keys keys, const wire::MpJoinSyn& syn, std::uint8_t address_id,
                             std::uint32_t nonce)
    : keys_(keys),
      local_id_(address_id),
      remote_id_(syn.address_id),
      peer_backup_(syn.backup),
      local_nonce_(nonce),
      remote_nonce_(syn.nonce) {}

wire::MpJoinSyn JoinHandshake::syn() const {
  return {.backup = backup_,
          .address_id = local_id_,
          .token = token_of(keys_.remote),
          .nonce = local_nonce_};
}

wire::MpJoinSynAck JoinHandshake::syn_ack() const {
  const wire::JoinHmac hmac = join_hmac(keys_.local, keys_.remote, local_nonce_, remote_nonce_);
  return {.backup = backup_,
          .address_id = local_id_,
          .truncated_hmac = truncated_join_hmac(hmac),
          .nonce = local_nonce_};
}

wire::MpJoinAck JoinHandshake::ack() const {
  return {.hmac = join_hmac(keys_.local, keys_.remote, local_nonce_, remote_nonce_)};
}

bool JoinHandshake::receive_syn_ack(const wire::MpJoinSynAck& option) {
  const wire::JoinHmac expected = join_hmac(keys_.remote, keys_.local, option.nonce, local_nonce_);
  if (truncated_join_hmac(expected) != option.truncated_hmac) return false;
  remote_nonce_ = option.nonce;
  remote_id_ = option.address_id;
  peer_backup_ = option.backup;
  return true;
}

bool JoinHandshake::receive_ack(const wire::MpJoinAck& option) const {
  return option.hmac == join_hmac(keys_.remote, keys_.local, remote_nonce_, local_nonce_);
}

}  // namespace braid::mptcp
