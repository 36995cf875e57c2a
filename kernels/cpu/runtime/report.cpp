#include "runtime/report.h"

#include <unistd.h>

#include <mutex>

namespace sltt_cpu {
namespace {

std::mutex message_mutex;
std::string& message() {
    static auto* text = new std::string;
    return *text;
}

}  // namespace

std::string last_message() {
    std::lock_guard lock(message_mutex);
    return message();
}

void report(const std::string& text) {
    {
        std::lock_guard lock(message_mutex);
        message() = text;
    }
    std::string line = "sltt_cpu: " + text + "\n";
    if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;  // stderr is closed: there is nobody to tell
}

}  // namespace sltt_cpu

// The latest line that the device wrote on stderr, without "sltt_cpu: "; "" before the first. Valid until the calling thread asks again.
SLTT_API const char* sltt_cpu_last_message() {
    static thread_local std::string copy;
    copy = sltt_cpu::last_message();
    return copy.c_str();
}
