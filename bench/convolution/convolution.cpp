// Times a convolution's passes on the CPU device over firing rates: forward and weight gradient dense and event-driven, the data gradient
// directly and by Winograd's algorithm (where that does not apply, twice directly). It also compares the two results.
//
//   out/native-build/convolution_bench [--shapes NAME] [--types f32,bf16,f16] [--rates 0.05,0.15] [--repeats N] [--values spikes|counts]
//
// GFLOP/s are counted as if all were computed: 2 * n*p*q*k * r*s*c a pass. The two ways take turns; the table shows the best time of each.
// SLTT_CPU_THREADS and SLTT_CPU_ISA choose threads and instruction set. The first line shows an event's lowest cost: a load with its
// addition.
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "dnn/cudnn_api.h"
#include "runtime/cuda_api.h"

extern "C" {
CUresult cuInit(unsigned);
CUresult cuDevicePrimaryCtxRetain(CUcontext*, CUdevice);
CUresult cuCtxSetCurrent(CUcontext);
CUresult cuMemAlloc_v2(CUdeviceptr*, size_t);
CUresult cuMemFree_v2(CUdeviceptr);
CUresult cuCtxSynchronize();
cudnnStatus_t cudnnCreate(cudnnHandle_t*);
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t*);
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t, cudnnTensorFormat_t, cudnnDataType_t, int, int, int, int);
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t*);
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t, cudnnDataType_t, cudnnTensorFormat_t, int, int, int, int);
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t*);
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t, int, int, int, int, int, int, cudnnConvolutionMode_t,
                                              cudnnDataType_t);
cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t, cudnnTensorDescriptor_t, cudnnFilterDescriptor_t,
                                                      cudnnConvolutionDescriptor_t, cudnnTensorDescriptor_t, cudnnConvolutionFwdAlgo_t,
                                                      size_t*);
cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t, cudnnTensorDescriptor_t, cudnnTensorDescriptor_t,
                                                             cudnnConvolutionDescriptor_t, cudnnFilterDescriptor_t,
                                                             cudnnConvolutionBwdFilterAlgo_t, size_t*);
cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t, const void*, cudnnTensorDescriptor_t, const void*, cudnnFilterDescriptor_t,
                                      const void*, cudnnConvolutionDescriptor_t, cudnnConvolutionFwdAlgo_t, void*, size_t, const void*,
                                      cudnnTensorDescriptor_t, void*);
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t, const void*, cudnnTensorDescriptor_t, const void*, cudnnTensorDescriptor_t,
                                             const void*, cudnnConvolutionDescriptor_t, cudnnConvolutionBwdFilterAlgo_t, void*, size_t,
                                             const void*, cudnnFilterDescriptor_t, void*);
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t, cudnnFilterDescriptor_t, cudnnTensorDescriptor_t,
                                                           cudnnConvolutionDescriptor_t, cudnnTensorDescriptor_t,
                                                           cudnnConvolutionBwdDataAlgo_t, size_t*);
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t, const void*, cudnnFilterDescriptor_t, const void*, cudnnTensorDescriptor_t,
                                           const void*, cudnnConvolutionDescriptor_t, cudnnConvolutionBwdDataAlgo_t, void*, size_t,
                                           const void*, cudnnTensorDescriptor_t, void*);
int sltt_cpu_choose_convolution(const char*, const char*, int);
const char* sltt_cpu_instruction_set();
int sltt_cpu_threads();
}

namespace {

void check(int status, const char* call) {
    if (status == 0) return;
    fprintf(stderr, "convolution: %s: status %d\n", call, status);
    exit(3);
}
#define CHECK(call) check((int)(call), #call)

struct Shape {
    int n, c, h, k, size, stride;
    int pad() const { return size / 2; }
    int p() const { return (h + 2 * pad() - size) / stride + 1; }
    double flops() const { return 2.0 * n * p() * p() * k * size * size * c; }
};
struct Set {
    const char* name;
    std::vector<Shape> shapes;
};
const std::vector<Set> SETS = {
    {"resnet18",
     {{32, 64, 32, 64, 3, 1},
      {32, 64, 32, 128, 3, 2},
      {32, 64, 32, 128, 1, 2},
      {32, 128, 16, 128, 3, 1},
      {32, 128, 16, 256, 3, 2},
      {32, 256, 8, 256, 3, 1},
      {32, 256, 8, 512, 3, 2},
      {32, 512, 4, 512, 3, 1}}},
    {"vgg11",
     {{4, 2, 128, 64, 3, 1},
      {4, 64, 64, 128, 3, 1},
      {4, 128, 32, 256, 3, 1},
      {4, 256, 32, 256, 3, 1},
      {4, 256, 16, 512, 3, 1},
      {4, 512, 16, 512, 3, 1},
      {4, 512, 8, 512, 3, 1}}},
    {"nfresnet34",
     {{4, 64, 56, 64, 3, 1}, {4, 64, 56, 128, 3, 2}, {4, 128, 28, 128, 3, 1}, {4, 256, 14, 256, 3, 1}, {4, 512, 7, 512, 3, 1}}},
    {"narrow", {{32, 16, 32, 16, 3, 1}, {32, 32, 16, 32, 3, 1}, {32, 64, 8, 64, 3, 1}, {32, 128, 4, 128, 3, 1}}},
};

struct Type {
    const char* name;
    cudnnDataType_t type;
    size_t size;
};
const Type TYPES[] = {{"f32", CUDNN_DATA_FLOAT, 4}, {"bf16", CUDNN_DATA_BFLOAT16, 2}, {"f16", CUDNN_DATA_HALF, 2}};

struct Buffer {
    Buffer(size_t count, const Type& type) : type(type), count(count) {
        CUdeviceptr at = {};
        CHECK(cuMemAlloc_v2(&at, std::max<size_t>(count * type.size, 256)));
        memcpy(&data, &at, sizeof data);
    }
    ~Buffer() {
        CUdeviceptr at;
        memcpy(&at, &data, sizeof at);
        cuMemFree_v2(at);
    }
    void set(size_t i, float value) {
        uint32_t bits;
        memcpy(&bits, &value, 4);
        if (type.type == CUDNN_DATA_FLOAT) static_cast<float*>(data)[i] = value;
        if (type.type == CUDNN_DATA_BFLOAT16) static_cast<uint16_t*>(data)[i] = (uint16_t)(bits >> 16);
        if (type.type == CUDNN_DATA_HALF) static_cast<_Float16*>(data)[i] = (_Float16)value;
    }
    float get(size_t i) const {
        if (type.type == CUDNN_DATA_FLOAT) return static_cast<float*>(data)[i];
        if (type.type == CUDNN_DATA_HALF) return (float)static_cast<_Float16*>(data)[i];
        uint32_t bits = (uint32_t)static_cast<uint16_t*>(data)[i] << 16;
        float value;
        memcpy(&value, &bits, 4);
        return value;
    }
    const Type& type;
    size_t count;
    void* data;
};

// With one thread it is processor time, which other work on the machine changes less.
double now() {
    timespec time;
    clock_gettime(sltt_cpu_threads() == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Nanoseconds of a 64-byte load with its addition, over an array of this size that is read repeatedly; 0 without AVX-512.
__attribute__((target("avx512f"))) double load_and_add(size_t bytes) {
    if (!__builtin_cpu_supports("avx512f")) return 0;
    std::vector<float> memory(bytes / sizeof(float) + 16);
    const float* begin = reinterpret_cast<const float*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
    double best = 1e9;
    for (int repeat = 0; repeat < 20; ++repeat) {
        __m512 sum[8] = {};
        double start = now();
        size_t rounds = (size_t)(64 << 20) / bytes;
        for (size_t round = 0; round < rounds; ++round)
            for (const float* p = begin; p < begin + bytes / sizeof(float); p += 128) {
#pragma GCC unroll 8
                for (int i = 0; i < 8; ++i) {
                    sum[i] = _mm512_add_ps(sum[i], _mm512_load_ps(p + 16 * i));
                    asm volatile("" : "+v"(sum[i]));
                }
            }
        best = std::min(best, (now() - start) * 1e9 / ((double)rounds * (double)bytes / 64));
    }
    return best;
}

std::vector<std::string> words(const std::string& text) {
    std::vector<std::string> out;
    for (size_t at = 0; at <= text.size();) {
        size_t comma = std::min(text.find(',', at), text.size());
        out.push_back(text.substr(at, comma - at));
        at = comma + 1;
    }
    return out;
}

}  // namespace

int main(int count, char** arguments) {
    std::string shapes = "resnet18,vgg11,nfresnet34,narrow", types = "f32", rates = "0.05,0.1,0.15,0.2,0.3,0.4", values = "spikes";
    int repeats = 5;
    for (int i = 1; i < count; i += 2) {
        std::string name = arguments[i];
        const char* value = i + 1 < count ? arguments[i + 1] : "";
        if (name == "--shapes") shapes = value;
        else if (name == "--types") types = value;
        else if (name == "--rates") rates = value;
        else if (name == "--values") values = value;
        else if (name == "--repeats") repeats = std::max(1, atoi(value));
        else {
            fprintf(stderr, "convolution: unknown option %s; see the head of bench/convolution/convolution.cpp\n", arguments[i]);
            return 2;
        }
    }
    CUcontext context;
    cudnnHandle_t dnn;
    CHECK(cuInit(0));
    CHECK(cuDevicePrimaryCtxRetain(&context, 0));
    CHECK(cuCtxSetCurrent(context));
    CHECK(cudnnCreate(&dnn));
    printf("instruction set %s, %d threads; 64 bytes loaded and added: %.2f ns from 16 KiB, %.2f ns from 512 KiB\n\n",
           sltt_cpu_instruction_set(), sltt_cpu_threads(), load_and_add(16 << 10), load_and_add(512 << 10));
    printf(
        "| shape | type | rate | forward: dense | event | ratio | filter: dense | event | ratio | data: dense | winograd | ratio | "
        "difference |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (const Set& set : SETS) {
        auto chosen = words(shapes);
        if (std::find(chosen.begin(), chosen.end(), set.name) == chosen.end()) continue;
        for (const Shape& s : set.shapes)
            for (const Type& type : TYPES) {
                auto wanted = words(types);
                if (std::find(wanted.begin(), wanted.end(), type.name) == wanted.end()) continue;
                Buffer x((size_t)s.n * s.h * s.h * s.c, type), filter((size_t)s.k * s.size * s.size * s.c, type),
                    y((size_t)s.n * s.p() * s.p() * s.k, type);
                Buffer out(y.count, type), gradient(filter.count, type), x_gradient(x.count, type);
                cudnnTensorDescriptor_t x_desc, y_desc;
                cudnnFilterDescriptor_t w_desc;
                cudnnConvolutionDescriptor_t convolution;
                CHECK(cudnnCreateTensorDescriptor(&x_desc));
                CHECK(cudnnCreateTensorDescriptor(&y_desc));
                CHECK(cudnnCreateFilterDescriptor(&w_desc));
                CHECK(cudnnCreateConvolutionDescriptor(&convolution));
                CHECK(cudnnSetTensor4dDescriptor(x_desc, CUDNN_TENSOR_NHWC, type.type, s.n, s.c, s.h, s.h));
                CHECK(cudnnSetTensor4dDescriptor(y_desc, CUDNN_TENSOR_NHWC, type.type, s.n, s.k, s.p(), s.p()));
                CHECK(cudnnSetFilter4dDescriptor(w_desc, type.type, CUDNN_TENSOR_NHWC, s.k, s.c, s.size, s.size));
                CHECK(cudnnSetConvolution2dDescriptor(convolution, s.pad(), s.pad(), s.stride, s.stride, 1, 1, CUDNN_CROSS_CORRELATION,
                                                      CUDNN_DATA_FLOAT));
                size_t forward_bytes = 0, filter_bytes = 0;
                CHECK(cudnnGetConvolutionForwardWorkspaceSize(dnn, x_desc, w_desc, convolution, y_desc,
                                                              CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, &forward_bytes));
                CHECK(cudnnGetConvolutionBackwardFilterWorkspaceSize(dnn, x_desc, y_desc, convolution, w_desc,
                                                                     CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, &filter_bytes));
                size_t bytes = std::max(forward_bytes, filter_bytes), data_bytes = 0;
                for (const char* way : {"dense", "winograd"}) {
                    sltt_cpu_choose_convolution(way, nullptr, 0);
                    CHECK(cudnnGetConvolutionBackwardDataWorkspaceSize(dnn, w_desc, y_desc, convolution, x_desc,
                                                                       CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, &data_bytes));
                    bytes = std::max(bytes, data_bytes);
                }
                Buffer workspace(bytes / type.size + 1, type);
                std::mt19937 random(1);
                std::uniform_real_distribution<float> uniform(-1, 1);
                for (size_t i = 0; i < filter.count; ++i) filter.set(i, uniform(random));
                for (size_t i = 0; i < y.count; ++i) y.set(i, uniform(random));
                for (const std::string& rate : words(rates)) {
                    std::bernoulli_distribution fires(atof(rate.c_str()));
                    for (size_t i = 0; i < x.count; ++i) x.set(i, !fires(random) ? 0 : values == "counts" ? (float)(1 + random() % 3) : 1);
                    const float one = 1, zero = 0;
                    double best[3][2] = {{1e9, 1e9}, {1e9, 1e9}, {1e9, 1e9}}, difference = 0;
                    for (int pass = 0; pass < 3; ++pass) {
                        Buffer& result = pass == 0 ? out : pass == 1 ? gradient : x_gradient;
                        std::vector<float> dense(result.count);
                        for (int i = 0; i < repeats + 1; ++i)
                            for (int way = 0; way < 2; ++way) {
                                sltt_cpu_choose_convolution(way == 0 ? "dense" : pass < 2 ? "event" : "winograd", nullptr, 0);
                                double start = now();
                                if (pass == 0)
                                    CHECK(cudnnConvolutionForward(dnn, &one, x_desc, x.data, w_desc, filter.data, convolution,
                                                                  CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, workspace.data, bytes,
                                                                  &zero, y_desc, out.data));
                                else if (pass == 1)
                                    CHECK(cudnnConvolutionBackwardFilter(dnn, &one, x_desc, x.data, y_desc, y.data, convolution,
                                                                         CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, workspace.data, bytes, &zero,
                                                                         w_desc, gradient.data));
                                else
                                    CHECK(cudnnConvolutionBackwardData(dnn, &one, w_desc, filter.data, y_desc, y.data, convolution,
                                                                       CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, workspace.data, bytes, &zero,
                                                                       x_desc, x_gradient.data));
                                CHECK(cuCtxSynchronize());
                                double seconds = now() - start;
                                if (i > 0) best[pass][way] = std::min(best[pass][way], seconds);
                                if (i > 0) continue;
                                double largest = 0, worst = 0;
                                for (size_t j = 0; j < result.count; ++j) {
                                    float value = result.get(j);
                                    if (way == 0) dense[j] = value;
                                    largest = std::max<double>(largest, std::fabs(dense[j]));
                                    worst = std::max<double>(worst, std::isfinite(value) ? std::fabs(value - dense[j]) : INFINITY);
                                }
                                if (way == 1) difference = std::max(difference, worst / std::max(largest, 1e-30));
                            }
                    }
                    char name[96];
                    snprintf(name, sizeof name, "%dx%dx%dx%d to %d, %dx%d/%d", s.n, s.h, s.h, s.c, s.k, s.size, s.size, s.stride);
                    double gigaflops = s.flops() / 1e9;
                    printf("| %s | %s | %s | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f | %.1e |\n", name, type.name,
                           rate.c_str(), gigaflops / best[0][0], gigaflops / best[0][1], best[0][1] / best[0][0], gigaflops / best[1][0],
                           gigaflops / best[1][1], best[1][1] / best[1][0], gigaflops / best[2][0], gigaflops / best[2][1],
                           best[2][1] / best[2][0], difference);
                    fflush(stdout);
                }
            }
    }
    return 0;
}
