// fuzz-libraries: braid_wire

// One MPTCP option: what is read is written in as many bytes and means the same. The input is what
// follows kind and length.
#include <algorithm>
#include <vector>

#include "stack/base/ensure.h"
#include "stack/wire/mptcp_options.h"
#include "stack/wire/segment.h"

using namespace braid;
using namespace braid::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes body = Bytes(data, size).first(std::min<std::size_t>(size, 38));
  std::vector<std::uint8_t> bytes = {30, static_cast<std::uint8_t>(2 + body.size())};
  bytes.insert(bytes.end(), body.begin(), body.end());
  const auto option = parse_mptcp_option(bytes);
  if (!option) return 0;
  describe(*option);

  ENSURE(encoded_length(*option) == bytes.size());
  std::vector<std::uint8_t> written(bytes.size());
  ENSURE(write_mptcp_option(*option, written) == bytes.size());
  ENSURE(parse_mptcp_option(written) == option);
  return 0;
}
