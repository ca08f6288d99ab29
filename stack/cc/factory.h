// Controllers by the name a configuration uses.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "stack/cc/controller.h"

namespace braid::cc {

enum class Algorithm { kReno, kCubic, kLia, kOlia, kBalia, kBbr, kCoupledCubic };

std::optional<Algorithm> algorithm_by_name(std::string_view name);
std::span<const std::string_view> algorithm_names();

// The group is required for coupled algorithms; the others take no part in it.
std::unique_ptr<Controller> make_controller(Algorithm algorithm, std::uint32_t mss,
                                            std::shared_ptr<CoupledGroup> group = nullptr);

}  // namespace braid::cc
