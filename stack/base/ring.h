// Ring: a queue in one block of memory, for what comes at the back and goes at the front while a
// connection works, and is not there while it rests. An empty ring holds at most kKept slots (none
// by default), a std::deque more than 500 bytes; a busy one asks for no memory while its length
// stays within what it had.
//
// Elements move when the ring grows or something is put into or taken out of its middle: references
// last until then.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "stack/base/ensure.h"

namespace braid {

template <class T, std::uint32_t kKept = 0>
class Ring {
  static_assert((kKept & (kKept - 1)) == 0, "capacities are powers of two");

  template <class Owner, class Value>
  class Walker {
   public:
    Walker(Owner& ring, std::size_t index) : ring_(&ring), index_(index) {}
    Value& operator*() const { return (*ring_)[index_]; }
    Walker& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Walker&) const = default;

   private:
    Owner* ring_;
    std::size_t index_;
  };

 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    clear();
    give_back();
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  T& operator[](std::size_t index) { return *slot(index); }
  const T& operator[](std::size_t index) const { return *slot(index); }
  T& front() { return *slot(0); }
  const T& front() const { return *slot(0); }
  T& back() { return *slot(size_ - 1); }
  const T& back() const { return *slot(size_ - 1); }
  auto begin() { return Walker<Ring, T>(*this, 0); }
  auto end() { return Walker<Ring, T>(*this, size_); }
  auto begin() const { return Walker<const Ring, const T>(*this, 0); }
  auto end() const { return Walker<const Ring, const T>(*this, size_); }

  // How many elements from the front on satisfy `holds`; none behind the first that does not may.
  template <class Predicate>
  std::size_t partition_point(Predicate holds) const {
    std::size_t from = 0;
    for (std::size_t length = size_; length > 0;) {
      const std::size_t half = length / 2;
      const bool left = holds((*this)[from + half]);
      if (left) from += half + 1;
      length = left ? length - half - 1 : half;
    }
    return from;
  }

  T& push_back(T value) {
    if (size_ == capacity_) grow();
    T* const place = std::construct_at(slot(size_), std::move(value));
    ++size_;
    return *place;
  }

  void pop_front() {
    ENSURE(size_ > 0);
    std::destroy_at(slot(0));
    head_ = (head_ + 1) & (capacity_ - 1);
    if (--size_ == 0 && capacity_ > kKept) give_back();
  }

  void pop_back() {
    ENSURE(size_ > 0);
    std::destroy_at(slot(size_ - 1));
    if (--size_ == 0 && capacity_ > kKept) give_back();
  }

  // Before the element that is at `index` now; at most size(). The shorter side makes room.
  void insert(std::size_t index, T value) {
    ENSURE(index <= size_);
    if (index >= size_ / 2) {
      push_back(std::move(value));
      for (std::size_t i = size_ - 1; i > index; --i) std::swap((*this)[i], (*this)[i - 1]);
      return;
    }
    if (size_ == capacity_) grow();
    head_ = (head_ - 1) & (capacity_ - 1);
    std::construct_at(slot(0), std::move(value));
    ++size_;
    for (std::size_t i = 0; i < index; ++i) std::swap((*this)[i], (*this)[i + 1]);
  }

  void clear() {
    while (size_ > 0) pop_front();
  }

  void validate() const {
    ENSURE((capacity_ & (capacity_ - 1)) == 0 && size_ <= capacity_);
    ENSURE((slots_ == nullptr) == (capacity_ == 0) &&
           (capacity_ == 0 ? head_ == 0 : head_ < capacity_));
    ENSURE(size_ > 0 || capacity_ <= kKept);
  }

 private:
  static constexpr std::uint32_t kFirst = kKept > 0 ? kKept : 4;  // slots of the first block

  T* slot(std::size_t index) const { return slots_ + ((head_ + index) & (capacity_ - 1)); }

  void grow() {
    ENSURE(capacity_ <= UINT32_MAX / 2);
    const std::uint32_t larger = std::max(2 * capacity_, kFirst);
    T* const fresh = std::allocator<T>().allocate(larger);
    for (std::size_t i = 0; i < size_; ++i) {
      std::construct_at(fresh + i, std::move(*slot(i)));
      std::destroy_at(slot(i));
    }
    give_back();
    slots_ = fresh;
    capacity_ = larger;
  }

  void give_back() {
    if (slots_ != nullptr) std::allocator<T>().deallocate(slots_, capacity_);
    slots_ = nullptr;
    capacity_ = head_ = 0;
  }

  T* slots_ = nullptr;
  std::uint32_t capacity_ = 0;  // zero or a power of two
  std::uint32_t head_ = 0;      // where element 0 is
  std::uint32_t size_ = 0;
};

}  // namespace braid
