// FairShare: how much of a budget of memory each stream may promise.
//
// A receive window is a promise of memory. Promises may add up to more than there is, because few
// are taken up at once; but where many streams are busy all of them are, and what was promised and
// cannot be kept is dropped and sent again. So those who have grown beyond what every stream begins
// with share three quarters of the budget equally, none more than a quarter; the rest is for the
// first windows and for what subflows still hold. Whoever takes no memory while the others take the
// whole budget once over is at rest, and gives back what it has grown by when somebody is held
// down.
#pragma once

#include <cstddef>
#include <cstdint>

namespace braid {

class FairShare {
 public:
  // Who shares. Not copied: the others know where it is.
  class Member {
   public:
    Member() = default;
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    virtual ~Member() = default;  // must have left

   private:
    friend class FairShare;
    virtual void give_back() = 0;  // leaves

    Member* older_ = nullptr;  // in order of the last taking
    Member* newer_ = nullptr;
    std::uint64_t last_taken_ = 0;  // bytes all had taken by then
    bool shares_ = false;
  };

  explicit FairShare(std::uint64_t budget) : budget_(budget) {}  // bytes

  // Joining and leaving again are harmless when done already.
  void join(Member& member);
  void leave(Member& member);
  // `member`, which may be no sharer, has taken memory.
  void took(Member& member, std::uint64_t bytes);
  // Bytes one member may promise.
  std::uint64_t share() const;
  // Members at rest give back, the longest at rest first.
  void reclaim();
  std::size_t members() const { return members_; }

 private:
  void append(Member& member);
  void unlink(Member& member);

  std::uint64_t budget_;
  std::uint64_t taken_ = 0;  // by all, ever
  std::size_t members_ = 0;
  Member* oldest_ = nullptr;
  Member* newest_ = nullptr;
};

}  // namespace braid
