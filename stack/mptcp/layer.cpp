#include "stack/mptcp/layer.h"

#include <utility>

#include "stack/base/ensure.h"
#include "stack/mptcp/core.h"
#include "stack/mptcp/keys.h"

namespace braid::mptcp {

Layer::Layer(tcp::Layer& tcp, Random& random) : tcp_(tcp), random_(random) {}

Layer::~Layer() {
  orphans_.clear();  // they still ask us to forget their tokens
}

MptcpKey Layer::new_key() {
  for (;;) {
    const MptcpKey key = random_.u64();
    if (!by_token_.contains(token_of(key))) return key;
  }
}

void Layer::remember_token(std::uint32_t token, Core& core) {
  ENSURE(by_token_.emplace(token, &core).second);
}

void Layer::forget_token(std::uint32_t token, const Core& core) {
  const auto it = by_token_.find(token);
  if (it != by_token_.end() && it->second == &core) by_token_.erase(it);
}

Layer::Join Layer::receive_join(tcp::InterfaceId interface, const wire::Segment& syn,
                                const LocalPath& path, Instant now) {
  const auto* option = syn.options.find<wire::MpJoinSyn>();
  const auto owner = option == nullptr ? by_token_.end() : by_token_.find(option->token);
  if (owner == by_token_.end()) {  // M40, M119
    wire::TcpOptions why;
    why.mptcp.push_back(wire::MpTcprst{.reason = wire::TcprstReason::kMptcpSpecific});
    tcp_.refuse(interface, syn, why);
    return Join::kUnknownToken;
  }
  const Join answer = owner->second->accept_join(interface, syn, *option, path, now);
  if (answer == Join::kRefused) {
    wire::TcpOptions why;
    why.mptcp.push_back(wire::MpTcprst{.transient = true,
                                       .reason = wire::TcprstReason::kAdministrativelyProhibited});
    tcp_.refuse(interface, syn, why);
  }
  return answer;
}

void Layer::flush(Instant now) {
  due_.clear();
  while (Agenda::Entry* const entry = agenda_.next(now)) due_.push_back(static_cast<Core*>(entry));
  for (Core* const core : due_) {
    core->flush(now);
    if (core->over()) orphans_.erase(core);  // the end of its last subflow has woken it
  }
}

void Layer::adopt(std::unique_ptr<Core> core) {
  if (core->over()) return;
  Core* const key = core.get();
  orphans_.emplace(key, std::move(core));
}

}  // namespace braid::mptcp
