// Controllers of one connection's subflows, with the group that couples them kept alive until the
// last of them is gone: TCP connections outlive the MPTCP connection they belonged to.
#pragma once

#include <memory>

#include "stack/cc/coupled_group.h"
#include "stack/cc/factory.h"

namespace braid::mptcp {

std::unique_ptr<cc::Controller> make_group_controller(cc::Algorithm algorithm, std::uint32_t mss,
                                                      std::shared_ptr<cc::CoupledGroup> group);

}  // namespace braid::mptcp
