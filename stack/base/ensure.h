// ENSURE(cond): our own bugs stop the program in every build; bytes from outside never reach it.
#pragma once

namespace braid {

[[noreturn]] void ensure_failed(const char* condition, const char* file, int line);

}  // namespace braid

#define ENSURE(cond) \
  ((cond) ? static_cast<void>(0) : ::braid::ensure_failed(#cond, __FILE__, __LINE__))
