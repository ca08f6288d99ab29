#include "tests/sim/memory/ledger.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>

#include "tests/support/roles/running_role.h"

namespace braid::sim {
namespace {

struct Account {
  const gateway::Host* role = nullptr;
  std::int64_t bytes = 0;
};
std::array<Account, 64> accounts;  // the first belongs to nobody

// In front of every block.
struct alignas(__STDCPP_DEFAULT_NEW_ALIGNMENT__) Slip {
  Account* account;
  std::int64_t bytes;
};

Account& account_of(const gateway::Host* role) {
  if (role == nullptr) return accounts.front();
  const auto place = std::find_if(accounts.begin() + 1, accounts.end(), [role](const Account& a) {
    return a.role == role || a.role == nullptr;
  });
  if (place == accounts.end()) std::abort();
  place->role = role;
  return *place;
}

// A chunk of glibc's: eight bytes of its own, a multiple of sixteen, at least 32.
std::int64_t chunk(std::size_t bytes) {
  return std::max<std::int64_t>(32, static_cast<std::int64_t>((bytes + 8 + 15) / 16 * 16));
}

void* take(std::size_t bytes) {
  void* const block = std::malloc(sizeof(Slip) + bytes);
  if (block == nullptr) throw std::bad_alloc();
  Slip* const slip = new (block) Slip{&account_of(running_role), chunk(bytes)};
  slip->account->bytes += slip->bytes;
  return slip + 1;
}

void give_back(void* memory) {
  if (memory == nullptr) return;
  Slip* const slip = static_cast<Slip*>(memory) - 1;
  slip->account->bytes -= slip->bytes;
  std::free(slip);
}

}  // namespace

std::int64_t bytes_held_by(const gateway::Host& role) { return account_of(&role).bytes; }

}  // namespace braid::sim

void* operator new(std::size_t bytes) { return braid::sim::take(bytes); }
void* operator new[](std::size_t bytes) { return braid::sim::take(bytes); }
void operator delete(void* memory) noexcept { braid::sim::give_back(memory); }
void operator delete[](void* memory) noexcept { braid::sim::give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { braid::sim::give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { braid::sim::give_back(memory); }
