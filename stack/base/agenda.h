// Agenda: which machines have work now, and which have it later.
//
// Every machine (a connection, a flow) is an Entry of one agenda. Input marks it ready with wake();
// its owner's flush() takes entries with next() until none is left, and asks next_deadline() when
// to come back. An idle entry costs nothing: it is in no list and in no heap. Order is defined:
// ready entries in the order they woke, then due entries by deadline, equal deadlines in arming
// order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stack/base/time.h"

namespace braid {

class Agenda {
 public:
  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry();  // leaves the agenda

    // Joins an agenda; once, before any other call has effect. wake/arm before that do nothing.
    void join(Agenda& agenda);
    void leave();
    // Has work at the next flush. Idempotent.
    void wake();
    // Has work at `when`; replaces the former deadline. kNever disarms.
    void arm(Instant when);
    Instant deadline() const { return deadline_; }
    bool is_ready() const { return ready_; }

   private:
    friend class Agenda;
    static constexpr std::size_t kNotInHeap = static_cast<std::size_t>(-1);
    Agenda* agenda_ = nullptr;
    Entry* previous_ = nullptr;
    Entry* next_ = nullptr;
    bool ready_ = false;
    Instant deadline_ = kNever;
    std::uint64_t order_ = 0;
    std::size_t heap_index_ = kNotInHeap;
  };

  Agenda() = default;
  Agenda(const Agenda&) = delete;
  Agenda& operator=(const Agenda&) = delete;
  ~Agenda();

  // Takes one entry that is ready or due at `now` (it is then neither ready nor armed), or nullptr.
  // An entry that wakes itself again during one flush is taken again: callers bound their loop.
  Entry* next(Instant now);
  // The past (Instant::min()) when something is ready, the earliest deadline, or kNever.
  Instant next_deadline() const;
  bool has_ready() const { return head_ != nullptr; }
  std::size_t ready_count() const { return ready_count_; }
  void validate() const;

 private:
  void unlink(Entry& entry);
  void heap_remove(Entry& entry);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);
  static bool before(const Entry& a, const Entry& b);

  Entry* head_ = nullptr;
  Entry* tail_ = nullptr;
  std::size_t ready_count_ = 0;
  std::vector<Entry*> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace braid
