#include "stack/mptcp/negotiation.h"

namespace braid::mptcp {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kHmacSha256 = 1;  // bit H

// The flags leave something we can speak: M28 (B), M30 (some algorithm at all).
bool usable(const wire::MpCapable& option) {
  return !option.extensibility && (option.crypto_bits & kHmacSha256) != 0;
}

}  // namespace

Negotiation::Negotiation(Role role, MptcpKey local_key, Policy policy)
    : role_(role), policy_(policy), local_key_(local_key), checksum_(policy.require_checksum) {}

void Negotiation::receive_syn(const wire::TcpOptions& options) {
  const auto* offer = options.find<wire::MpCapable>();
  // M16: an initiator of a later version hears our version 1; one of version 0 hears nothing.
  agreed_ = wishes() && offer != nullptr && usable(*offer) && offer->version >= kVersion &&
            !offer->sender_key && !offer->receiver_key;
  if (!agreed_) return;
  checksum_ = policy_.require_checksum || offer->checksum_required;  // M26
  peer_denies_joins_ = offer->deny_join_here;
}

void Negotiation::receive_syn_ack(const wire::TcpOptions& options) {
  const auto* answer = options.find<wire::MpCapable>();
  // M31: exactly one algorithm in the answer; M34: no answer, no MPTCP.
  agreed_ = wishes() && answer != nullptr && usable(*answer) &&
            answer->crypto_bits == kHmacSha256 && answer->version == kVersion &&
            answer->sender_key && !answer->receiver_key;
  if (!agreed_) return;
  remote_key_ = answer->sender_key;
  checksum_ = policy_.require_checksum || answer->checksum_required;
  peer_denies_joins_ = answer->deny_join_here;
}

bool Negotiation::receive_ack(const wire::MpCapable& option) {
  if (!agreed_ || role_ != Role::kResponder) return false;
  if (!option.sender_key || option.receiver_key != local_key_ || !usable(option)) return false;
  if (option.version != kVersion) return false;  // it answers another SYN-ACK than ours
  if (remote_key_ && *remote_key_ != *option.sender_key) return false;
  remote_key_ = option.sender_key;
  return true;
}

wire::MpCapable Negotiation::syn() const {
  wire::MpCapable out;
  out.version = kVersion;
  out.checksum_required = checksum_;
  out.deny_join_here = policy_.deny_joins;
  out.crypto_bits = kHmacSha256;
  return out;
}

wire::MpCapable Negotiation::syn_ack() const {
  wire::MpCapable out = syn();
  // Only our own demand: the initiator's A is echoed by its third ACK, not by us.
  out.checksum_required = policy_.require_checksum;
  out.sender_key = local_key_;
  return out;
}

wire::MpCapable Negotiation::ack() const {
  wire::MpCapable out = syn();
  out.sender_key = local_key_;
  out.receiver_key = remote_key_;
  return out;
}

wire::MpCapable Negotiation::data(std::uint16_t length,
                                  std::optional<std::uint16_t> checksum) const {
  wire::MpCapable out = ack();
  out.data_length = length;
  out.checksum = checksum;
  return out;
}

}  // namespace braid::mptcp
