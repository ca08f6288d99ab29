#include "stack/base/bytes.h"

#include <algorithm>

namespace braid {

Slices Slices::sub(std::uint32_t from, std::uint32_t length) const {
  ENSURE(from <= size_ && length <= size_ - from);
  Slices out;
  for (Bytes slice : list()) {
    if (length == 0) break;
    if (from >= slice.size()) {
      from -= static_cast<std::uint32_t>(slice.size());
      continue;
    }
    const std::size_t take = std::min<std::size_t>(slice.size() - from, length);
    out.append(slice.subspan(from, take));
    length -= static_cast<std::uint32_t>(take);
    from = 0;
  }
  return out;
}

void Slices::copy_to(MutableBytes to) const {
  ENSURE(to.size() >= size_);
  std::uint8_t* p = to.data();
  for (Bytes slice : list()) {
    std::memcpy(p, slice.data(), slice.size());
    p += slice.size();
  }
}

std::vector<std::uint8_t> Slices::to_vector() const {
  std::vector<std::uint8_t> out(size_);
  copy_to(out);
  return out;
}

bool Slices::operator==(const Slices& other) const {
  return size_ == other.size_ && to_vector() == other.to_vector();
}

}  // namespace braid
