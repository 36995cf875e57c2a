// One variant of the event-driven convolution's inner loops. CMakeLists.txt compiles this file for each instruction set, with
// SLTT_EVENT_TABLE as the name of its table. Everything else is in an anonymous namespace and nothing comes from the C++ library,
// so that the linker cannot put a function compiled for AVX-512 into another variant.
#include "event/event_kernels.h"

#include "simd.h"

#include <string.h>

namespace {

using namespace sltt_cpu;
using simd::broadcast;
using simd::load;
using simd::multiply_add;
using simd::store;
using Vector = simd::Float;
constexpr int VECTOR = simd::WIDTH;

// ---- Numbers ---------------------------------------------------------------------------------------------------------

inline float widen_one(const void* x, Number type, size_t i) {
    if (type == Number::Float) return static_cast<const float*>(x)[i];
    uint16_t bits = static_cast<const uint16_t*>(x)[i];
    if (type == Number::Bfloat16) {
        uint32_t wide = (uint32_t)bits << 16;
        float out;
        memcpy(&out, &wide, 4);
        return out;
    }
#if defined(__F16C__)
    return _cvtsh_ss(bits);
#else
    _Float16 half;
    memcpy(&half, &bits, 2);
    return (float)half;
#endif
}

void widen(float* y, const void* x, Number type, int count) {
    int i = 0;
    if (type == Number::Float) {
        for (; i + VECTOR <= count; i += VECTOR) store(y + i, load(static_cast<const float*>(x) + i));
    } else if (type == Number::Bfloat16) {
        const uint16_t* in = static_cast<const uint16_t*>(x);
        for (; i + 8 <= count; i += 8) {
            __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i)), zero = _mm_setzero_si128();
            _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i), _mm_unpacklo_epi16(zero, bits));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i + 4), _mm_unpackhi_epi16(zero, bits));
        }
    } else {
#if defined(__F16C__)
        const uint16_t* in = static_cast<const uint16_t*>(x);
        for (; i + 8 <= count; i += 8)
            _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
#endif
    }
    for (; i < count; ++i) y[i] = widen_one(x, type, i);
}

inline const void* at(const void* x, Number type, size_t i) { return static_cast<const char*>(x) + i * (type == Number::Float ? 4 : 2); }

void copy(float* place, int width, const void* y, Number type, size_t pitch, int places, int count) {
    for (int i = 0; i < places; ++i, place += width) {
        const void* from = at(y, type, i * pitch);
        if (type == Number::Float && count == width) {
            for (int v = 0; v < width; v += VECTOR) store(place + v, load(static_cast<const float*>(from) + v));
        } else {
            widen(place, from, type, count);
            for (int v = count; v < width; ++v) place[v] = 0;
        }
    }
}

// ---- Events ----------------------------------------------------------------------------------------------------------

// Of 16 numbers, as bit masks: which are not zero, and which are neither 0 nor 1.
struct Activity {
    unsigned fired, other;
};

#if defined(__AVX512F__)
inline Activity activity_of(const void* x, Number type) {
    if (type == Number::Float) {
        __m512 v = _mm512_loadu_ps(x);
        unsigned fired = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
        return {fired, (unsigned)_mm512_mask_cmp_ps_mask((__mmask16)fired, v, _mm512_set1_ps(1), _CMP_NEQ_UQ)};
    }
    __m256i v = _mm256_loadu_si256(static_cast<const __m256i*>(x));
    unsigned fired = _mm256_test_epi16_mask(v, _mm256_set1_epi16(0x7fff));
    __m256i one = _mm256_set1_epi16(type == Number::Half ? 0x3c00 : 0x3f80);
    return {fired, (unsigned)_mm256_mask_cmpneq_epi16_mask((__mmask16)fired, v, one)};
}

// 16 indices, of which a mask selects those that become events.
using Indices16 = __m512i;
inline Indices16 load_indices(const uint16_t* p) { return _mm512_cvtepu16_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(p))); }
inline Indices16 indices_from(int base) {
    return _mm512_add_epi32(_mm512_set1_epi32(base), _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}
// Appends the indices that the mask selects. It always writes 16, hence EVENT_SLACK.
inline Event* append(Event* to, unsigned mask, Indices16 all) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32((__mmask16)mask, all)));
    return to + __builtin_popcount(mask);
}
#else
inline Activity activity_of(const void* x, Number type) {
    __m128i zero, ones, none = _mm_setzero_si128();
    if (type == Number::Float) {
        const float* in = static_cast<const float*>(x);
        __m128 a = _mm_loadu_ps(in), b = _mm_loadu_ps(in + 4), c = _mm_loadu_ps(in + 8), d = _mm_loadu_ps(in + 12);
        auto equal = [&](float value) {
            __m128 v = _mm_set1_ps(value);
            return _mm_packs_epi16(_mm_packs_epi32(_mm_castps_si128(_mm_cmpeq_ps(a, v)), _mm_castps_si128(_mm_cmpeq_ps(b, v))),
                                   _mm_packs_epi32(_mm_castps_si128(_mm_cmpeq_ps(c, v)), _mm_castps_si128(_mm_cmpeq_ps(d, v))));
        };
        zero = equal(0);
        ones = equal(1);
    } else {
        const __m128i* in = static_cast<const __m128i*>(x);
        __m128i a = _mm_loadu_si128(in), b = _mm_loadu_si128(in + 1), magnitude = _mm_set1_epi16(0x7fff);
        __m128i one = _mm_set1_epi16(type == Number::Half ? 0x3c00 : 0x3f80);
        zero = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_and_si128(a, magnitude), none), _mm_cmpeq_epi16(_mm_and_si128(b, magnitude), none));
        ones = _mm_packs_epi16(_mm_cmpeq_epi16(a, one), _mm_cmpeq_epi16(b, one));
    }
    return {~(unsigned)_mm_movemask_epi8(zero) & 0xffff, ~(unsigned)_mm_movemask_epi8(_mm_or_si128(zero, ones)) & 0xffff};
}

struct Indices16 {
    __m128i low, high;
};
inline Indices16 load_indices(const uint16_t* p) {
    return {_mm_load_si128(reinterpret_cast<const __m128i*>(p)), _mm_load_si128(reinterpret_cast<const __m128i*>(p + 8))};
}
inline Indices16 indices_from(int base) {
    __m128i low = _mm_add_epi16(_mm_set1_epi16((short)base), _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7));
    return {low, _mm_add_epi16(low, _mm_set1_epi16(8))};
}
// For each mask of 8 bits: the bytes of the 16-bit numbers that it selects, as a shuffle wants them.
struct Shuffles {
    uint8_t bytes[256][16];
    constexpr Shuffles() : bytes() {
        for (int m = 0; m < 256; ++m)
            for (int bit = 0, n = 0; bit < 8; ++bit)
                if (m >> bit & 1) {
                    bytes[m][n++] = (uint8_t)(2 * bit);
                    bytes[m][n++] = (uint8_t)(2 * bit + 1);
                }
    }
};
alignas(64) constexpr Shuffles SHUFFLES;

inline Event* append(Event* to, unsigned mask, Indices16 all) {
    auto half = [&](unsigned mask, __m128i eight) {
        __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(SHUFFLES.bytes[mask]));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi8(eight, bytes));
        to += __builtin_popcount(mask);
    };
    half(mask & 0xff, all.low);
    half(mask >> 8, all.high);
    return to;
}
#endif

// The same for the first `count` numbers, where there may be fewer than 16.
inline Activity activity_of(const void* x, Number type, int count) {
    if (count >= EVENT_CHANNELS) return activity_of(x, type);
    alignas(16) char padded[64] = {};
    memcpy(padded, x, (size_t)count * (type == Number::Float ? 4 : 2));
    return activity_of(padded, type);
}

size_t count(const void* x, Number type, size_t count) {
    size_t events = 0;
    for (size_t i = 0; i < count; i += EVENT_CHANNELS) {
        int numbers = count - i < EVENT_CHANNELS ? (int)(count - i) : EVENT_CHANNELS;
        events += (size_t)__builtin_popcount(activity_of(at(x, type, i), type, numbers).fired);
    }
    return events;
}

bool list_forward(const ForwardLists& l) {
    Event* to = l.events;
    uint32_t* start = l.starts;
    unsigned other = 0;
    for (int first = 0; first < l.c; first += l.block) {
        int channels = l.c - first < l.block ? l.c - first : l.block;
        for (int row = 0; row < l.h; ++row, start += l.w + 1) {
            for (int column = 0; column < l.w; ++column) {
                start[column] = (uint32_t)(to - l.events);
                if (!(l.rows[row] && l.columns[column])) continue;
                const void* x = at(l.x, l.type, ((size_t)row * l.w + column) * l.c + first);
                for (int c = 0; c < channels; c += EVENT_CHANNELS) {
                    Activity active = activity_of(at(x, l.type, c), l.type, channels - c);
                    other |= active.other;
                    to = append(to, active.fired, indices_from(column * l.block + c));
                }
            }
            start[l.w] = (uint32_t)(to - l.events);
        }
    }
    return other == 0;
}

bool list_gradient(const GradientLists& l) {
    unsigned other = 0;
    for (int first = 0; first < l.c; first += EVENT_CHANNELS) {
        int channels = l.c - first < EVENT_CHANNELS ? l.c - first : EVENT_CHANNELS;
        Event* to[EVENT_CHANNELS];
        for (int c = 0; c < channels; ++c) to[c] = l.events + (size_t)(first + c) * l.capacity + l.counts[first + c];
        // 16 pixels at a time: 16 masks of channels become 16 masks of pixels.
        for (int i = 0; i < l.pixel_count; i += 16) {
            alignas(32) uint16_t pixel[16] = {}, fired[16] = {};
            int pixels = l.pixel_count - i < 16 ? l.pixel_count - i : 16;
            for (int j = 0; j < pixels; ++j) {
                pixel[j] = l.pixels[i + j];
                Activity active = activity_of(at(l.x, l.type, (size_t)pixel[j] * l.c + first), l.type, channels);
                other |= active.other;
                fired[j] = (uint16_t)active.fired;
            }
            Indices16 all = load_indices(pixel);
            __m128i a = _mm_load_si128(reinterpret_cast<const __m128i*>(fired));
            __m128i b = _mm_load_si128(reinterpret_cast<const __m128i*>(fired + 8));
            __m128i byte = _mm_set1_epi16(0xff), low = _mm_packus_epi16(_mm_and_si128(a, byte), _mm_and_si128(b, byte));
            __m128i high = _mm_packus_epi16(_mm_srli_epi16(a, 8), _mm_srli_epi16(b, 8));
            // movemask reads the top bit of each byte: the last of 8 channels comes first, and doubling shifts the next one up.
            for (int c = 7; c >= 0; --c, low = _mm_add_epi8(low, low))
                if (c < channels) to[c] = append(to[c], (unsigned)_mm_movemask_epi8(low), all);
            for (int c = 15; c >= 8; --c, high = _mm_add_epi8(high, high))
                if (c < channels) to[c] = append(to[c], (unsigned)_mm_movemask_epi8(high), all);
        }
        for (int c = 0; c < channels; ++c) l.counts[first + c] = (uint16_t)(to[c] - (l.events + (size_t)(first + c) * l.capacity));
    }
    return other == 0;
}

// ---- Blocks of 8 x 8 -------------------------------------------------------------------------------------------------

typedef float Float8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef int Int8 __attribute__((vector_size(32)));

inline void transpose_8x8(Float8 r[8]) {
    Float8 a[8], b[8];
    for (int i = 0; i < 4; ++i) {
        a[2 * i] = __builtin_shuffle(r[2 * i], r[2 * i + 1], (Int8){0, 8, 1, 9, 4, 12, 5, 13});
        a[2 * i + 1] = __builtin_shuffle(r[2 * i], r[2 * i + 1], (Int8){2, 10, 3, 11, 6, 14, 7, 15});
    }
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j) {
            b[4 * i + 2 * j] = __builtin_shuffle(a[4 * i + j], a[4 * i + j + 2], (Int8){0, 1, 8, 9, 4, 5, 12, 13});
            b[4 * i + 2 * j + 1] = __builtin_shuffle(a[4 * i + j], a[4 * i + j + 2], (Int8){2, 3, 10, 11, 6, 7, 14, 15});
        }
    for (int i = 0; i < 4; ++i) {
        r[i] = __builtin_shuffle(b[i], b[i + 4], (Int8){0, 1, 2, 3, 8, 9, 10, 11});
        r[i + 4] = __builtin_shuffle(b[i], b[i + 4], (Int8){4, 5, 6, 7, 12, 13, 14, 15});
    }
}

void pack(const FilterSlab& f) {
    constexpr int MAX_CHANNELS = 128;  // of a block
    float wide[8][MAX_CHANNELS];
    for (int k = 0; k < f.outputs; k += 8)
        for (int tap = 0; tap < f.taps; ++tap) {
            const float* row[8];
            for (int i = 0; i < 8; ++i) {
                const void* from = at(f.filter, f.type, (size_t)(k + i) * f.output_stride + tap * f.tap_stride);
                if (k + i >= f.k) {
                    memset(wide[i], 0, sizeof wide[i]);
                    row[i] = wide[i];
                } else if (f.type == Number::Float) {
                    row[i] = static_cast<const float*>(from);
                } else {
                    widen(wide[i], from, f.type, f.channels);
                    row[i] = wide[i];
                }
            }
            float* to = f.slab + (size_t)tap * f.channel_block * f.outputs + k;
            int c = 0;
            for (; c + 8 <= f.channels; c += 8) {
                Float8 block[8];
                for (int i = 0; i < 8; ++i) block[i] = *reinterpret_cast<const Float8*>(row[i] + c);
                transpose_8x8(block);
                for (int i = 0; i < 8; ++i)
                    *reinterpret_cast<Float8*>(to + (size_t)(c + i) * f.outputs) = f.alpha == 1 ? block[i] : block[i] * f.alpha;
            }
            for (; c < f.channels; ++c)
                for (int i = 0; i < 8; ++i) to[(size_t)c * f.outputs + i] = f.alpha * row[i][c];
        }
}

void unpack(float* gradient, size_t output_stride, size_t tap_stride, const float* sums, int outputs, int k, int taps, int c, float alpha,
            float beta) {
    auto blend = [=](float* to, float sum) { *to = beta == 0 ? alpha * sum : alpha * sum + beta * *to; };
    for (int tap = 0; tap < taps; ++tap)
        for (int o = 0; o < k; o += 8) {
            int i = 0;
            if (k - o >= 8)
                for (; i + 8 <= c; i += 8) {
                    Float8 block[8];
                    for (int j = 0; j < 8; ++j)
                        block[j] = *reinterpret_cast<const Float8*>(sums + ((size_t)(i + j) * taps + tap) * outputs + o);
                    transpose_8x8(block);
                    for (int j = 0; j < 8; ++j) {
                        Float8* to = reinterpret_cast<Float8*>(gradient + (size_t)(o + j) * output_stride + tap * tap_stride + i);
                        *to = beta == 0 ? block[j] * alpha : block[j] * alpha + *to * beta;
                    }
                }
            for (; i < c; ++i)
                for (int j = o; j < k && j < o + 8; ++j)
                    blend(gradient + (size_t)j * output_stride + tap * tap_stride + i, sums[((size_t)i * taps + tap) * outputs + j]);
        }
}

// ---- Forward ---------------------------------------------------------------------------------------------------------

template <int V, bool ONES>
inline void forward_row(const ForwardRows& f, float* out, const Event* events, const uint32_t* starts, const void* x) {
    constexpr size_t ROW = (size_t)V * VECTOR * sizeof(float);
    const int mask = (1 << f.channel_shift) - 1, shift = f.channel_shift, taps = f.taps, w = f.w;
    const char* slab = reinterpret_cast<const char*>(f.slab);
    for (int q = 0, from = f.first_column; q < f.columns; ++q, from += f.stride_w, out += f.pitch) {
        // The columns of the window that lie in the input. Their events are one piece of the list.
        int begin = from < 0 ? 0 : from, end = from + taps < w ? from + taps : w;
        if (begin >= end) continue;
        const Event* e = events + starts[begin];
        const Event* last = events + starts[end];
        if (e == last) continue;
        const char* rows = slab - ((ptrdiff_t)from << shift) * (ptrdiff_t)ROW;
        Vector sum[V];
        SLTT_UNROLL for (int v = 0; v < V; ++v) sum[v] = load(out + v * VECTOR);
        for (; e != last; ++e) {
            const char* row = rows + *e * ROW;
            if (ONES) {
                SLTT_UNROLL for (int v = 0; v < V; ++v) sum[v] += load(row + v * sizeof(Vector));
            } else {
                Vector value = broadcast(widen_one(x, f.type, (size_t)(*e >> shift) * f.c + (*e & mask)));
                SLTT_UNROLL for (int v = 0; v < V; ++v) sum[v] = multiply_add(value, load(row + v * sizeof(Vector)), sum[v]);
            }
        }
        SLTT_UNROLL for (int v = 0; v < V; ++v) store(out + v * VECTOR, sum[v]);
    }
}

template <int V> void forward_width(const ForwardRows& f) {
    float* out = f.sums;
    for (int row = f.begin, image = row / f.image_rows, p = row % f.image_rows; row < f.end; ++row, out += f.pitch * f.columns) {
        int h = p * f.stride_h + f.first_row;
        if (h >= 0 && h < f.h) {
            const Event* events = f.events + image * f.events_pitch;
            const uint32_t* starts = f.starts + image * f.starts_pitch + (size_t)h * (f.w + 1);
            if (f.ones[image])
                forward_row<V, true>(f, out, events, starts, nullptr);
            else
                forward_row<V, false>(f, out, events, starts, at(f.x, f.type, ((size_t)image * f.h + h) * f.w * f.c));
        }
        if (++p == f.image_rows) {
            p = 0;
            ++image;
        }
    }
}

constexpr int MAX_FORWARD_OUTPUTS = VECTOR == 4 ? 32 : 64;

void forward(const ForwardRows& f) {
    switch (f.outputs / VECTOR) {
    case 1: return forward_width<1>(f);
    case 2: return forward_width<2>(f);
    case 4: return forward_width<4>(f);
    case 8: return forward_width<8>(f);
    }
}

// ---- Weight gradient -------------------------------------------------------------------------------------------------

constexpr int MAX_GRADIENT_SUMS = VECTOR == 16 ? 24 : 12;  // registers for sums, of 32 or 16
constexpr int MAX_GRADIENT_ROWS = VECTOR == 16 ? 3 : 1;

template <int ROWS, int COLUMNS, int V, bool ONES> void gradient_taps(const GradientTaps& g) {
    const size_t tile_row = g.tile_row;
    const uint32_t* offsets = g.offsets;
    for (int channel = 0; channel < g.channels; ++channel) {
        const Event* e = g.events + (size_t)channel * g.capacity;
        const Event* last = e + g.end[channel];
        if (g.begin != nullptr) e += g.begin[channel];
        if (e == last) continue;
        Vector sum[ROWS][COLUMNS][V] = {};
        for (; e != last; ++e) {
            const char* row[3];
            row[0] = g.tile + offsets[*e];
            row[1] = row[0] + tile_row;
            row[2] = row[1] + tile_row;
            Vector value;
            if (!ONES) value = broadcast(widen_one(g.values, g.type, (size_t)*e * g.c + channel));
            SLTT_UNROLL for (int r = 0; r < ROWS; ++r) {
                asm("" : "+r"(row[r]));  // keeps one address register a row; g++ would use one for each vector
                SLTT_UNROLL for (int s = 0; s < COLUMNS; ++s)
                    SLTT_UNROLL for (int v = 0; v < V; ++v) {
                        Vector y = load(row[r] + (size_t)(s * V + v) * sizeof(Vector));
                        if (ONES)
                            sum[r][s][v] += y;
                        else
                            sum[r][s][v] = multiply_add(value, y, sum[r][s][v]);
                    }
            }
        }
        float* to = g.sums + channel * g.channel_step;
        SLTT_UNROLL for (int r = 0; r < ROWS; ++r) {
            SLTT_UNROLL for (int s = 0; s < COLUMNS; ++s)
                SLTT_UNROLL for (int v = 0; v < V; ++v) {
                    float* place = to + s * g.column_step + v * VECTOR;
                    store(place, load(place) + sum[r][s][v]);
                }
            to += g.row_step;
        }
    }
}

template <int ROWS, int COLUMNS, int V> void gradient_kind(const GradientTaps& g) {
    if constexpr (ROWS * COLUMNS * V <= MAX_GRADIENT_SUMS && ROWS <= MAX_GRADIENT_ROWS)
        g.values == nullptr ? gradient_taps<ROWS, COLUMNS, V, true>(g) : gradient_taps<ROWS, COLUMNS, V, false>(g);
}
template <int ROWS, int COLUMNS> void gradient_width(const GradientTaps& g) {
    switch (g.outputs / VECTOR) {
    case 1: return gradient_kind<ROWS, COLUMNS, 1>(g);
    case 2: return gradient_kind<ROWS, COLUMNS, 2>(g);
    case 4: return gradient_kind<ROWS, COLUMNS, 4>(g);
    }
}
template <int ROWS> void gradient_rows(const GradientTaps& g) {
    switch (g.columns) {
    case 1: return gradient_width<ROWS, 1>(g);
    case 2: return gradient_width<ROWS, 2>(g);
    case 3: return gradient_width<ROWS, 3>(g);
    }
}
void gradient(const GradientTaps& g) {
    switch (g.rows) {
    case 1: return gradient_rows<1>(g);
    case 2: return gradient_rows<2>(g);
    case 3: return gradient_rows<3>(g);
    }
}

}  // namespace

namespace sltt_cpu {
extern __attribute__((visibility("hidden"))) const EventKernels SLTT_EVENT_TABLE;
const EventKernels SLTT_EVENT_TABLE = {VECTOR, MAX_FORWARD_OUTPUTS, MAX_GRADIENT_SUMS, MAX_GRADIENT_ROWS, count, list_forward,
                                       list_gradient, pack, forward, gradient, copy, unpack};
}  // namespace sltt_cpu
