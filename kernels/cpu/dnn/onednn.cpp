#include "dnn/onednn.h"

#include <omp.h>

namespace sltt_cpu {

const dnnl::engine& onednn_engine() {
    static const dnnl::engine& engine = *new dnnl::engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

dnnl::memory::data_type onednn_type(Number type) {
    return type == Number::Bfloat16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

dnnl::primitive_attr user_scratchpad() {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attr;
}

void execute(const dnnl::primitive& primitive, std::initializer_list<Argument> arguments) {
    thread_local dnnl::stream stream(onednn_engine());
    std::unordered_map<int, dnnl::memory> bound;
    for (const Argument& a : arguments)
        if (a.desc.get_size() != 0) bound.emplace(a.key, dnnl::memory(a.desc, onednn_engine(), const_cast<void*>(a.data)));
    primitive.execute(stream, bound);
    stream.wait();
}

OpenMpThreads::OpenMpThreads(int count) : before_(omp_get_max_threads()) { omp_set_num_threads(count); }
OpenMpThreads::~OpenMpThreads() { omp_set_num_threads(before_); }

}  // namespace sltt_cpu
