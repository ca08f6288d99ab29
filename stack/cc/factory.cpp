#include "stack/cc/factory.h"

#include <array>
#include <utility>

#include "stack/base/ensure.h"
#include "stack/cc/balia.h"
#include "stack/cc/bbr.h"
#include "stack/cc/coupled_cubic.h"
#include "stack/cc/cubic.h"
#include "stack/cc/lia.h"
#include "stack/cc/olia.h"
#include "stack/cc/reno.h"

namespace braid::cc {
namespace {

// In Algorithm's order.
constexpr std::array<std::string_view, 7> kNames{"reno",  "cubic", "lia",          "olia",
                                                 "balia", "bbr",   "coupled_cubic"};

}  // namespace

std::optional<Algorithm> algorithm_by_name(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Algorithm>(i);
  }
  return std::nullopt;
}

std::span<const std::string_view> algorithm_names() { return kNames; }

std::unique_ptr<Controller> make_controller(Algorithm algorithm, std::uint32_t mss,
                                            std::shared_ptr<CoupledGroup> group) {
  switch (algorithm) {
    case Algorithm::kReno: return std::make_unique<Reno>(mss);
    case Algorithm::kCubic: return std::make_unique<Cubic>(mss);
    case Algorithm::kLia:
      ENSURE(group != nullptr);
      return std::make_unique<Lia>(mss, std::move(group));
    case Algorithm::kOlia:
      ENSURE(group != nullptr);
      return std::make_unique<Olia>(mss, std::move(group));
    case Algorithm::kBalia:
      ENSURE(group != nullptr);
      return std::make_unique<Balia>(mss, std::move(group));
    case Algorithm::kCoupledCubic:
      ENSURE(group != nullptr);
      return std::make_unique<CoupledCubic>(mss, std::move(group));
    case Algorithm::kBbr: return std::make_unique<Bbr>(mss);
  }
  ENSURE(false);
}

}  // namespace braid::cc
