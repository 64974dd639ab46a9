// Questions on which articles, calculators and first guesses go wrong, asked as a user asks them: the verdict
// and the words that tell why have to stand in the answer.
#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "run.hpp"

using namespace r1fit::test;

namespace {

/// What `r1fit check ARGS...` prints, in one line so that words are found across line breaks.
struct Answer {
  int status;
  std::string text;
};

Answer check(std::vector<std::string> args) {
  args.insert(args.begin(), "check");
  const Ran ran = run(args);
  CHECK((ran.status == 2 || ran.err.empty()));
  std::string text;
  for (const char letter : ran.out + ran.err) {
    const bool is_space = letter == ' ' || letter == '\n';
    if (!is_space || (!text.empty() && text.back() != ' ')) text += is_space ? ' ' : letter;
  }
  return {ran.status, text};
}

}  // namespace

TEST_CASE("trap: a 671B file of before the MLA cache") {
  const Answer answer = check({"671b:Q4_K_M", "--gpu", "8x h100-sxm", "--legacy-gguf", "--ctx", "65536"});
  CHECK(answer.status == 1);
  CHECK_THAT(answer.text, contains("made before the MLA cache"));
  CHECK_THAT(answer.text, contains("305.0 GiB of KV cache, 71 times a newer file's"));
  CHECK_THAT(answer.text, contains("Download a newer conversion"));
  CHECK(check({"671b:Q4_K_M", "--gpu", "8x h100-sxm", "--ctx", "65536"}).status == 0);
}

TEST_CASE("trap: ollama run deepseek-r1:32b on a card of 24 GiB") {
  const Answer simply = check({"32b", "--vram", "24", "--engine", "ollama", "--ctx", "default"});
  CHECK(simply.status == 1);
  CHECK_THAT(simply.text, contains("at 32,768 tokens needs 26.9 GiB"));
  CHECK_THAT(simply.text, contains("Yes with --ctx "));
  const Answer asked = check({"32b", "--vram", "24"});
  CHECK(asked.status == 0);
  CHECK_THAT(asked.text, contains("Ollama's own default with this much GPU memory is 32,768 tokens, and that "
                                  "spills out of it: set the context as shown."));
  CHECK_THAT(asked.text, contains("OLLAMA_CONTEXT_LENGTH=8192"));
}

TEST_CASE("trap: ollama run deepseek-r1:70b on two cards of 24 GiB") {
  const Answer simply = check({"70b", "--vram", "2x24", "--engine", "ollama", "--ctx", "default"});
  CHECK(simply.status == 1);
  CHECK_THAT(simply.text, contains("at 131,072 tokens needs 41.5 GiB on the 24 GiB card that is fullest"));
  CHECK(check({"70b", "--vram", "2x24"}).status == 0);
}

TEST_CASE("trap: flash attention off at 32k on CUDA") {
  const Answer off = check({"14b", "--vram", "16", "--ctx", "32768", "--flash-attn", "off"});
  CHECK(off.status == 1);
  CHECK_THAT(off.text, contains("Without flash attention CUDA takes another 1.2 GiB a card as the context "
                                "fills; no log shows it, and a failure comes late."));
  CHECK(check({"14b", "--vram", "16", "--ctx", "32768"}).status == 0);
  const Answer edge = check({"14b", "--vram", "16", "--ctx", "24576", "--flash-attn", "off"});
  CHECK_THAT(edge.text, contains("Comfortable with --flash-attn on"));
}

TEST_CASE("trap: 70B at 16 bits on a Mac of 192 GB") {
  const Answer answer = check({"70b:F16", "--gpu", "m2-ultra", "--memory", "192"});
  CHECK(answer.status == 0);
  CHECK_THAT(answer.text,
             contains("192 GiB unified memory, 144 GiB of it for the GPU (the limit of macOS up to 15)"));
  CHECK_THAT(answer.text, contains("needs 132.2 GiB"));
  const Answer longer = check({"70b:F16", "--gpu", "m2-ultra", "--memory", "192", "--ctx", "65536"});
  CHECK_THAT(longer.text, contains("sudo sysctl iogpu.wired_limit_mb="));
}

TEST_CASE("trap: 70B Q8_0 on a Mac of 96 GB, before and after its limit is raised") {
  const Answer before = check({"70b:Q8_0", "--gpu", "m2-max", "--memory", "96"});
  CHECK(before.status == 0);
  CHECK_THAT(before.text, contains("tight (inside the margin)"));
  CHECK_THAT(before.text, contains("0.5 GiB left, 2.4 GiB wanted. Comfortable with --wired-limit 88"));
  const Answer after = check({"70b:Q8_0", "--gpu", "m2-max", "--memory", "96", "--wired-limit", "88"});
  CHECK(after.status == 0);
  CHECK_THAT(after.text, contains("88 GiB of it for the GPU (the limit as stated)"));
  CHECK_THAT(after.text, contains(" fits "));
  CHECK_THAT(after.text,
             contains("`sudo sysctl iogpu.wired_limit_mb=90112` has set it; it leaves 8.0 GiB for "
                      "macOS and programs"));
}

TEST_CASE("what is proposed for a Mac holds when it is done") {
  const std::vector<std::string> asked{"70b:Q4_K_M", "--gpu", "m4-max", "--memory", "64", "--ctx", "24576"};
  for (const char* reserve : {"0.5", "2", "4"}) {
    CAPTURE(reserve);
    std::vector<std::string> args = asked;
    args.insert(args.end(), {"--reserve", reserve});
    const Answer before = check(args);
    CAPTURE(before.text);
    const std::string flag = "--wired-limit ";
    const std::size_t at = before.text.find(flag);
    REQUIRE(at != std::string::npos);
    const std::size_t digits = at + flag.size();
    args.insert(args.end(),
                {"--wired-limit",
                 before.text.substr(digits, before.text.find_first_not_of("0123456789", digits) - digits),
                 "--require", "fits"});
    CHECK(check(args).status == 0);
  }
}

TEST_CASE("trap: 671B in sums that whole layers do not make") {
  const Answer small = check({"671b:Q2_K", "--vram", "10x24"});
  CHECK(small.status == 0);
  CHECK_THAT(small.text, contains("tight (tensors placed by hand)"));
  CHECK_THAT(small.text,
             contains("whole layers do not divide over these cards; the expert tensors have to be "
                      "placed one by one with -ot"));
  CHECK_THAT(small.text, contains("Comfortable with --quant "));
  const Answer whole = check({"671b:F16", "--gpu", "16x a100-80gb-sxm"});
  CHECK(whole.status == 0);
  CHECK_THAT(whole.text, contains("tight (tensors placed by hand)"));
  CHECK_THAT(whole.text, contains("more of them hold more, they are not faster"));
  CHECK(check({"671b:Q2_K", "--vram", "10x24", "--require", "fits"}).status == 1);
}

TEST_CASE("trap: 671B as it was released, in FP8, on eight cards of 80 GB") {
  const Answer answer = check({"671b:FP8", "--gpu", "8x h100-sxm"});
  CHECK(answer.status == 2);
  CHECK_THAT(answer.text, contains("about 689 GB (642 GiB), which is more than 8 x 80 GiB hold"));
  CHECK_THAT(answer.text, contains("The nearest GGUF is Q8_0"));
}

TEST_CASE("trap: weights larger than RAM") {
  const Answer answer = check({"671b:UD-IQ1_S", "--vram", "24", "--ram", "64"});
  CHECK(answer.status == 1);
  CHECK_THAT(answer.text, contains("streams (part from disk)"));
  CHECK_THAT(answer.text,
             contains("49.7 GiB of these weights do not fit RAM and stay on disk: about 1.7 GB are "
                      "read for each token"));
  CHECK_THAT(answer.text, contains("give the disk's rate with --disk-bandwidth"));
}

// github ollama/ollama issue 9181: 44 of 81 layers, 8.2 GiB a card planned for the graph.
TEST_CASE("trap: an engine that does not know of CUDA's pool") {
  const Answer answer = check({"70b:Q8_0", "--vram", "4x22", "--ram", "256", "--engine", "ollama@2025-02",
                               "--ctx", "64000", "--require", "offload"});
  CHECK(answer.status == 0);
  CHECK_THAT(answer.text,
             contains("by itself puts 44 layers on the GPU, and its pool runs out of room as the "
                      "context fills: hold it to 32 (num_gpu)"));
}
