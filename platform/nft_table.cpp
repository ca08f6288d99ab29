#include "platform/nft_table.h"

#include <fmt/format.h>
#include <nftables/libnftables.h>

#include <algorithm>
#include <sstream>

#include "stack/base/ensure.h"

namespace braid::platform {

void NftTable::Free::operator()(nft_ctx* context) const { nft_ctx_free(context); }

NftTable::NftTable() : context_(nft_ctx_new(NFT_CTX_DEFAULT)) {
  ENSURE(context_ != nullptr);
  ENSURE(nft_ctx_buffer_error(context_.get()) == 0);
  ENSURE(nft_ctx_buffer_output(context_.get()) == 0);
}

NftTable::~NftTable() = default;

std::optional<std::string> NftTable::load(const std::string& text) {
  if (nft_run_cmd_from_buffer(context_.get(), text.c_str()) == 0) return std::nullopt;
  // The first line says what is wrong; the others point at the place in our own text.
  const std::string reason = nft_ctx_get_error_buffer(context_.get());
  const std::string line = reason.substr(0, reason.find('\n'));
  return line.empty() ? "nftables gave no reason" : line;
}

std::vector<std::string> parse_forward_drop_chains(const std::string& listing) {
  std::vector<std::string> found;
  std::istringstream lines(listing);
  std::string table;
  std::string chain;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "table") {
      std::string family;
      std::string name;
      words >> family >> name;
      table = family + ' ' + name;
    } else if (word == "chain") {
      words >> chain;
    } else if (word == "type" && line.find("hook forward") != std::string::npos &&
               line.find("policy drop") != std::string::npos) {
      found.push_back(table + ' ' + chain);
    }
  }
  return found;
}

std::vector<std::string> forward_drop_chains() {
  const std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)> context(nft_ctx_new(NFT_CTX_DEFAULT),
                                                                  &nft_ctx_free);
  ENSURE(context != nullptr);
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  if (nft_run_cmd_from_buffer(context.get(), "list chains") != 0) return {};
  return parse_forward_drop_chains(nft_ctx_get_output_buffer(context.get()));
}

}  // namespace braid::platform
