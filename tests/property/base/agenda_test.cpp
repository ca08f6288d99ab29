// Agenda against two plain lists that are searched whole for every answer.
#include "stack/base/agenda.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "tests/property/seeds.h"

TEST_SUITE_BEGIN("property");

using namespace braid;

namespace {

constexpr std::size_t kEntries = 12;

class Model {
 public:
  void wake(std::size_t id) {
    if (std::find(ready_.begin(), ready_.end(), id) == ready_.end()) ready_.push_back(id);
  }
  void arm(std::size_t id, Instant when) {
    const auto it = find(id);
    if (it != armed_.end() && it->when == when) return;  // the same deadline keeps its place
    forget_deadline(id);
    if (when != kNever) armed_.push_back({id, when});
  }
  void leave(std::size_t id) {
    std::erase(ready_, id);
    forget_deadline(id);
  }
  // kEntries: none.
  std::size_t next(Instant now) {
    std::size_t taken = kEntries;
    if (!ready_.empty()) {
      taken = ready_.front();
    } else if (const auto it = earliest(); it != armed_.end() && it->when <= now) {
      taken = it->id;
    }
    if (taken != kEntries) leave(taken);
    return taken;
  }
  Instant next_deadline() {
    if (!ready_.empty()) return Instant::min();
    return armed_.empty() ? kNever : earliest()->when;
  }

 private:
  struct Armed {
    std::size_t id;
    Instant when;
  };
  std::vector<Armed>::iterator find(std::size_t id) {
    return std::find_if(armed_.begin(), armed_.end(), [id](const Armed& a) { return a.id == id; });
  }
  // min_element gives the first of equals, and the list is in arming order.
  std::vector<Armed>::iterator earliest() {
    return std::min_element(armed_.begin(), armed_.end(),
                            [](const Armed& a, const Armed& b) { return a.when < b.when; });
  }
  void forget_deadline(std::size_t id) {
    if (const auto it = find(id); it != armed_.end()) armed_.erase(it);
  }

  std::vector<std::size_t> ready_;
  std::vector<Armed> armed_;
};

struct World {
  Agenda agenda;
  std::vector<std::unique_ptr<Agenda::Entry>> entries;
  Model model;

  World() {
    for (std::size_t i = 0; i < kEntries; ++i) {
      entries.push_back(std::make_unique<Agenda::Entry>());
      entries.back()->join(agenda);
    }
  }
  std::size_t id_of(const Agenda::Entry* entry) const {
    for (std::size_t i = 0; i < kEntries; ++i) {
      if (entries[i].get() == entry) return i;
    }
    return kEntries;
  }
  void step(Random& random) {
    const std::size_t id = random.below(kEntries);
    switch (random.below(8)) {
      case 0:
      case 1:
        entries[id]->wake();
        model.wake(id);
        break;
      case 2:
      case 3:
      case 4: {
        const Instant when = random.chance(0.2) ? kNever : Instant(Duration(random.below(20)));
        entries[id]->arm(when);
        model.arm(id, when);
        break;
      }
      case 5:
        entries[id] = std::make_unique<Agenda::Entry>();  // the former one leaves by dying
        entries[id]->join(agenda);
        model.leave(id);
        break;
      default: {
        const Instant now(Duration(random.below(20)));
        REQUIRE(id_of(agenda.next(now)) == model.next(now));
      }
    }
    agenda.validate();
    REQUIRE(agenda.next_deadline() == model.next_deadline());
  }
};

}  // namespace

TEST_CASE("an agenda gives entries in the order a sorted list would") {
  test::for_seeds(500, [](Random& random) {
    World world;
    for (int i = 0; i < 200; ++i) world.step(random);
  });
}

TEST_SUITE_END();
