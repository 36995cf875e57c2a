// Kernels' signatures and the layout of RunState, as JSON: the C# launchers are generated from it.
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "../../common/run_state.cuh"
#include "runtime/cuda_api.h"
#include "runtime/kernel_list.h"

// The faithful mode's table: it also holds the tests' kernels.
extern "C" __attribute__((visibility("hidden"))) const sltt_cpu::KernelEntry* const __start_sltt_faithful[];
extern "C" __attribute__((visibility("hidden"))) const sltt_cpu::KernelEntry* const __stop_sltt_faithful[];

namespace {

using sltt::RunState;

struct Field {
    const char* name;
    const char* type;
    size_t offset, size;
};

template <class T> constexpr const char* field_type() {
    static_assert(std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "no C# type stands for this one");
    if (std::is_floating_point_v<T>) return sizeof(T) == 4 ? "f32" : "f64";
    if (std::is_signed_v<T>) return sizeof(T) == 4 ? "i32" : "i64";
    return sizeof(T) == 4 ? "u32" : "u64";
}

#define FIELD(name) {#name, field_type<decltype(RunState::name)>(), offsetof(RunState, name), sizeof(RunState::name)}
constexpr Field FIELDS[] = {FIELD(lr), FIELD(t), FIELD(seed), FIELD(iteration), FIELD(loss_scale), FIELD(grad_scale),
                            FIELD(bias_correction1), FIELD(bias_correction2), FIELD(overflow), FIELD(good_steps),
                            FIELD(optimizer_steps), FIELD(skipped_steps)};
#undef FIELD

// The fields follow each other without a gap, from the first byte to the last: none is forgotten.
constexpr bool covers_run_state() {
    size_t end = 0;
    for (const Field& field : FIELDS) {
        if (field.offset != end) return false;
        end += field.size;
    }
    return end == sizeof(RunState);
}
static_assert(covers_run_state(), "FIELDS must name every field of RunState in order, and RunState must have no padding");

// The names in a parenthesised parameter list: the last identifier in front of each comma. No parameter's type has a comma.
std::string next_name(const char** text) {
    const char* end = *text + std::strcspn(*text, ",)");
    const char* last = end;
    auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    while (last > *text && !is_part(last[-1])) --last;
    const char* first = last;
    while (first > *text && is_part(first[-1])) --first;
    *text = *end == 0 ? end : end + 1;
    return std::string(first, last);
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

}  // namespace

std::string sltt_cpu::signatures(const KernelEntry* const* begin, const KernelEntry* const* end) {
    std::string json = "[";
    for (auto at = begin; at != end; ++at) {
        const KernelEntry& kernel = **at;
        const char* slash = std::strrchr(kernel.file, '/');
        json += (at == begin ? "\n{\"name\":" : ",\n{\"name\":") + quoted(kernel.name) +
                ",\"file\":" + quoted(slash == nullptr ? kernel.file : slash + 1) + ",\"parameters\":[";
        const char* text = kernel.parameter_text + 1;
        for (int i = 0; i < kernel.parameter_count; ++i) {
            const Parameter& parameter = kernel.parameters[i];
            json += (i == 0 ? "{\"name\":" : ",{\"name\":") + quoted(next_name(&text)) + ",\"type\":" + quoted(parameter.type) +
                    ",\"pointer\":" + (parameter.pointer ? "true" : "false") + ",\"const\":" + (parameter.constant ? "true" : "false") +
                    "}";
        }
        json += "]}";
    }
    return json + "]";
}

namespace {

std::string list() {
    std::string json = "{\"kernels\":" + sltt_cpu::signatures(__start_sltt_faithful, __stop_sltt_faithful);
    json += ",\n\"run_state\":{\"size\":" + std::to_string(sizeof(RunState)) + ",\"host_bytes\":" +
            std::to_string(sltt::RUN_STATE_HOST_BYTES) + ",\"fields\":[";
    for (const Field& field : FIELDS)
        json += (&field == FIELDS ? "\n{\"name\":" : ",\n{\"name\":") + quoted(field.name) + ",\"type\":" + quoted(field.type) +
                ",\"offset\":" + std::to_string(field.offset) + ",\"size\":" + std::to_string(field.size) + "}";
    return json + "]}}\n";
}

}  // namespace

// Every kernel with its file and parameters (name, type, whether a pointer, whether const), and RunState's fields.
// Writes up to `bytes` bytes with a final 0 and returns how many it takes.
SLTT_API size_t sltt_cpu_kernels(char* json, size_t bytes) {
    std::string text = list();
    if (json != nullptr && bytes > text.size()) std::memcpy(json, text.c_str(), text.size() + 1);
    return text.size() + 1;
}
