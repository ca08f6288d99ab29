#include "stack/base/agenda.h"

#include <utility>

#include "stack/base/ensure.h"

namespace braid {

Agenda::Entry::~Entry() { leave(); }

void Agenda::Entry::join(Agenda& agenda) {
  ENSURE(agenda_ == nullptr);
  agenda_ = &agenda;
}

void Agenda::Entry::leave() {
  // An idle entry is known to nobody: the agenda may even be gone already.
  if (ready_) agenda_->unlink(*this);
  if (heap_index_ != kNotInHeap) agenda_->heap_remove(*this);
  agenda_ = nullptr;
}

void Agenda::Entry::wake() {
  if (agenda_ == nullptr || ready_) return;
  ready_ = true;
  previous_ = agenda_->tail_;
  next_ = nullptr;
  (previous_ ? previous_->next_ : agenda_->head_) = this;
  agenda_->tail_ = this;
  ++agenda_->ready_count_;
}

void Agenda::Entry::arm(Instant when) {
  if (agenda_ == nullptr || when == deadline_) return;
  if (when == kNever) {
    agenda_->heap_remove(*this);
    return;
  }
  const bool was_armed = heap_index_ != kNotInHeap;
  deadline_ = when;
  order_ = agenda_->next_order_++;
  if (!was_armed) {
    heap_index_ = agenda_->heap_.size();
    agenda_->heap_.push_back(this);
  }
  agenda_->sift_up(heap_index_);
  agenda_->sift_down(heap_index_);
}

Agenda::~Agenda() {
  for (Entry* entry = head_; entry != nullptr;) {
    Entry* const following = entry->next_;
    entry->previous_ = entry->next_ = nullptr;
    entry->ready_ = false;
    entry->agenda_ = nullptr;
    entry = following;
  }
  for (Entry* entry : heap_) {
    entry->heap_index_ = Entry::kNotInHeap;
    entry->deadline_ = kNever;
    entry->agenda_ = nullptr;
  }
}

Agenda::Entry* Agenda::next(Instant now) {
  Entry* taken = head_;
  if (taken == nullptr && !heap_.empty() && heap_.front()->deadline_ <= now) taken = heap_.front();
  if (taken == nullptr) return nullptr;
  if (taken->ready_) unlink(*taken);
  if (taken->heap_index_ != Entry::kNotInHeap) heap_remove(*taken);
  return taken;
}

Instant Agenda::next_deadline() const {
  if (head_ != nullptr) return Instant::min();
  return heap_.empty() ? kNever : heap_.front()->deadline_;
}

void Agenda::unlink(Entry& entry) {
  (entry.previous_ ? entry.previous_->next_ : head_) = entry.next_;
  (entry.next_ ? entry.next_->previous_ : tail_) = entry.previous_;
  entry.previous_ = entry.next_ = nullptr;
  entry.ready_ = false;
  --ready_count_;
}

void Agenda::heap_remove(Entry& entry) {
  const std::size_t index = std::exchange(entry.heap_index_, Entry::kNotInHeap);
  entry.deadline_ = kNever;
  Entry* const last = heap_.back();
  heap_.pop_back();
  if (last == &entry) return;
  heap_[index] = last;
  last->heap_index_ = index;
  sift_up(index);
  sift_down(last->heap_index_);
}

void Agenda::sift_up(std::size_t index) {
  Entry* const moving = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!before(*moving, *heap_[parent])) break;
    heap_[index] = heap_[parent];
    heap_[index]->heap_index_ = index;
    index = parent;
  }
  heap_[index] = moving;
  moving->heap_index_ = index;
}

void Agenda::sift_down(std::size_t index) {
  Entry* const moving = heap_[index];
  for (std::size_t child = 2 * index + 1; child < heap_.size(); child = 2 * index + 1) {
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], *moving)) break;
    heap_[index] = heap_[child];
    heap_[index]->heap_index_ = index;
    index = child;
  }
  heap_[index] = moving;
  moving->heap_index_ = index;
}

bool Agenda::before(const Entry& a, const Entry& b) {
  if (a.deadline_ != b.deadline_) return a.deadline_ < b.deadline_;
  return a.order_ < b.order_;
}

void Agenda::validate() const {
  std::size_t ready = 0;
  for (const Entry* entry = head_; entry != nullptr; entry = entry->next_) ++ready;
  ENSURE(ready == ready_count_);
  const Entry* previous = nullptr;
  for (const Entry* entry = head_; entry != nullptr; entry = entry->next_) {
    ENSURE(entry->agenda_ == this && entry->ready_ && entry->previous_ == previous);
    previous = entry;
  }
  ENSURE(tail_ == previous);
  for (std::size_t i = 0; i < heap_.size(); ++i) {
    const Entry& entry = *heap_[i];
    ENSURE(entry.agenda_ == this && entry.heap_index_ == i && entry.deadline_ != kNever);
    ENSURE(i == 0 || before(*heap_[(i - 1) / 2], entry));
  }
}

}  // namespace braid
