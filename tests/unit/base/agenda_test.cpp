#include "stack/base/agenda.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>

TEST_SUITE_BEGIN("base");

using namespace braid;

namespace {

Instant at(std::int64_t ns) { return Instant(Duration(ns)); }

}  // namespace

TEST_CASE("ready entries are taken in the order they woke, each once") {
  Agenda agenda;
  std::array<Agenda::Entry, 3> entries;
  for (auto& entry : entries) entry.join(agenda);
  entries[2].wake();
  entries[0].wake();
  entries[2].wake();
  entries[1].wake();
  agenda.validate();
  CHECK(agenda.has_ready());
  CHECK(agenda.ready_count() == 3);
  CHECK(agenda.next_deadline() == Instant::min());
  CHECK(agenda.next(at(0)) == &entries[2]);
  CHECK(agenda.next(at(0)) == &entries[0]);
  CHECK(agenda.ready_count() == 1);
  CHECK(agenda.next(at(0)) == &entries[1]);
  CHECK(agenda.next(at(0)) == nullptr);
  CHECK(agenda.ready_count() == 0);
  CHECK(agenda.next_deadline() == kNever);
}

TEST_CASE("due entries come by deadline, equal deadlines in arming order") {
  Agenda agenda;
  std::array<Agenda::Entry, 4> entries;
  for (auto& entry : entries) entry.join(agenda);
  entries[0].arm(at(30));
  entries[1].arm(at(10));
  entries[2].arm(at(20));
  entries[3].arm(at(10));
  agenda.validate();
  CHECK(agenda.next_deadline() == at(10));
  CHECK(agenda.next(at(9)) == nullptr);
  CHECK(agenda.next(at(20)) == &entries[1]);
  CHECK(agenda.next(at(20)) == &entries[3]);
  CHECK(agenda.next(at(20)) == &entries[2]);
  CHECK(agenda.next(at(20)) == nullptr);
  CHECK(agenda.next_deadline() == at(30));
}

TEST_CASE("ready comes before due, and a taken entry is neither ready nor armed") {
  Agenda agenda;
  Agenda::Entry both;
  Agenda::Entry due;
  both.join(agenda);
  due.join(agenda);
  due.arm(at(1));
  both.arm(at(2));
  both.wake();
  CHECK(agenda.next(at(5)) == &both);
  CHECK_FALSE(both.is_ready());
  CHECK(both.deadline() == kNever);
  CHECK(agenda.next(at(5)) == &due);
  CHECK(agenda.next(at(5)) == nullptr);
}

TEST_CASE("arming again replaces the deadline, kNever disarms") {
  Agenda agenda;
  Agenda::Entry entry;
  entry.join(agenda);
  entry.arm(at(10));
  entry.arm(at(50));
  CHECK(agenda.next(at(10)) == nullptr);
  CHECK(agenda.next_deadline() == at(50));
  entry.arm(at(5));
  CHECK(agenda.next_deadline() == at(5));
  entry.arm(kNever);
  agenda.validate();
  CHECK(agenda.next_deadline() == kNever);
  CHECK(agenda.next(at(1000)) == nullptr);
}

TEST_CASE("an entry that belongs to no agenda ignores wake and arm") {
  Agenda::Entry entry;
  entry.wake();
  entry.arm(at(1));
  CHECK_FALSE(entry.is_ready());
  CHECK(entry.deadline() == kNever);
}

TEST_CASE("a destroyed or leaving entry is not taken any more") {
  Agenda agenda;
  Agenda::Entry stays;
  stays.join(agenda);
  auto goes = std::make_unique<Agenda::Entry>();
  goes->join(agenda);
  goes->wake();
  goes->arm(at(1));
  stays.wake();
  SUBCASE("destroyed") { goes.reset(); }
  SUBCASE("left") {
    goes->leave();
    goes->wake();
    CHECK_FALSE(goes->is_ready());
  }
  agenda.validate();
  CHECK(agenda.next(at(9)) == &stays);
  CHECK(agenda.next(at(9)) == nullptr);
}

TEST_CASE("entries outlive their agenda") {
  Agenda::Entry ready;
  Agenda::Entry armed;
  Agenda::Entry idle;
  {
    Agenda agenda;
    ready.join(agenda);
    armed.join(agenda);
    idle.join(agenda);
    ready.wake();
    armed.arm(at(3));
  }
  CHECK_FALSE(ready.is_ready());
  CHECK(armed.deadline() == kNever);
  armed.arm(at(4));  // of no agenda: no effect
  CHECK(armed.deadline() == kNever);
}

TEST_SUITE_END();
