// One variant of Winograd's inner loops. CMakeLists.txt compiles this file for each instruction set, with SLTT_WINOGRAD_TABLE as
// the name of its table. Everything else is in an anonymous namespace and nothing comes from the C++ library, so that the linker
// cannot put a function compiled for AVX-512 into another variant.
//
// output = A' ((G g G') o (B' d B)) A, where o multiplies point by point. The interpolation points are 0, 1, -1, 2, -2 and infinity
// (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015).
#include "winograd/winograd_kernels.h"

#include "simd.h"

namespace {

using namespace sltt_cpu;
using simd::broadcast;
using simd::load;
using simd::multiply_add;
using simd::store;
using Vector = simd::Float;
constexpr int VECTOR = simd::WIDTH;

// Tiles multiplied together. AVX-512: 28 sums, 2 vectors of the filter and 1 input in 32 registers; AVX2: 12, 2 and 1 in 16.
constexpr int ROWS = VECTOR == 16 ? 14 : 6;
constexpr int PANEL = 2 * VECTOR;
constexpr int P = WINOGRAD_PATCH, T = WINOGRAD_TILE;

inline Vector multiply_add(float a, Vector b, Vector c) { return multiply_add(broadcast(a), b, c); }

// ---- Transforms of one line ------------------------------------------------------------------------------------------

// out = B' d
inline void input_line(Vector* out, int step, Vector d0, Vector d1, Vector d2, Vector d3, Vector d4, Vector d5) {
    Vector even = multiply_add(-4, d2, d4), odd = multiply_add(-4, d1, d3), even_difference = d4 - d2, odd_difference = d3 - d1;
    out[0] = multiply_add(4, d0, multiply_add(-5, d2, d4));
    out[step] = even + odd;
    out[2 * step] = even - odd;
    out[3 * step] = multiply_add(2, odd_difference, even_difference);
    out[4 * step] = multiply_add(-2, odd_difference, even_difference);
    out[5 * step] = multiply_add(4, d1, multiply_add(-5, d3, d5));
}

// out = G g
inline void filter_line(Vector* out, int step, Vector g0, Vector g1, Vector g2) {
    Vector ends = g0 + g2, wide = multiply_add(0.25f, g0, g2), half = 0.5f * g1;
    out[0] = 0.25f * g0;
    out[step] = (-1.0f / 6) * (ends + g1);
    out[2 * step] = (-1.0f / 6) * (ends - g1);
    out[3 * step] = (1.0f / 6) * (wide + half);
    out[4 * step] = (1.0f / 6) * (wide - half);
    out[5 * step] = g2;
}

// out = A' m
inline void output_line(Vector* out, int step, Vector m0, Vector m1, Vector m2, Vector m3, Vector m4, Vector m5) {
    Vector sum1 = m1 + m2, difference1 = m1 - m2, sum2 = m3 + m4, difference2 = m3 - m4;
    out[0] = m0 + sum1 + sum2;
    out[step] = multiply_add(2, difference2, difference1);
    out[2 * step] = multiply_add(4, sum2, sum1);
    out[3 * step] = multiply_add(8, difference2, difference1) + m5;
}

// ---- Filter ----------------------------------------------------------------------------------------------------------

void filter(const WinogradFilter& f) {
    constexpr int PREFETCHED = 8;  // rows in flight: they lie too far apart for the processor's own prefetcher
    size_t tap = f.row / 9;
    for (int k = 0; k < f.k; ++k) {
        if (k + PREFETCHED < f.k)
            for (int i = 0; i < 9; ++i)
                for (int v = 0; v < PANEL; v += 16) _mm_prefetch(f.filter + (k + PREFETCHED) * f.row + i * tap + v, _MM_HINT_T0);
        for (int v = 0; v < PANEL; v += VECTOR) {
            float* to = f.points + (size_t)k * PANEL + v;
            if (v >= f.outputs) {
                for (int point = 0; point < WINOGRAD_POINTS; ++point) store(to + point * f.point_stride, Vector{});
                continue;
            }
            const float* from = f.filter + k * f.row + v;
            Vector lines[P * 3], line[P];
            SLTT_UNROLL
            for (int s = 0; s < 3; ++s)  // the filter is turned by 180 degrees: its last tap comes first
                filter_line(lines + s, 3, f.alpha * load(from + (8 - s) * tap), f.alpha * load(from + (5 - s) * tap),
                            f.alpha * load(from + (2 - s) * tap));
            SLTT_UNROLL
            for (int i = 0; i < P; ++i) {
                filter_line(line, 1, lines[3 * i], lines[3 * i + 1], lines[3 * i + 2]);
                SLTT_UNROLL
                for (int j = 0; j < P; ++j) store(to + (i * P + j) * f.point_stride, line[j]);
            }
        }
    }
}

// Transposes a square of VECTOR vectors. Step i swaps numbers that lie 2^i apart.
template <int DISTANCE = 1> inline void transpose(Vector* v) {
    typedef int Lanes __attribute__((vector_size(VECTOR * 4)));
    if constexpr (DISTANCE < VECTOR) {
        Lanes low, high;
        for (int i = 0; i < VECTOR; ++i) {
            low[i] = i & DISTANCE ? VECTOR + i - DISTANCE : i;
            high[i] = i & DISTANCE ? VECTOR + i : i + DISTANCE;
        }
        SLTT_UNROLL
        for (int i = 0; i < VECTOR; ++i)
            if ((i & DISTANCE) == 0) {
                Vector a = v[i], b = v[i + DISTANCE];
                v[i] = __builtin_shuffle(a, b, low);
                v[i + DISTANCE] = __builtin_shuffle(a, b, high);
            }
        transpose<2 * DISTANCE>(v);
    }
}

// Forward: the filter is read in vectors of input channels; a transposition makes vectors of outputs.
void filter_forward(const WinogradFilter& f) {
    size_t tap = f.row / 9;
    Vector points[WINOGRAD_POINTS][VECTOR];
    for (int v = 0; v < PANEL; v += VECTOR)
        for (int c = 0; c < f.k; c += VECTOR) {
            float* to = f.points + (size_t)c * PANEL + v;
            if (v >= f.outputs) {
                for (int point = 0; point < WINOGRAD_POINTS; ++point)
                    for (int i = 0; i < VECTOR; ++i) store(to + point * f.point_stride + i * PANEL, Vector{});
                continue;
            }
            for (int k = 0; k < VECTOR; ++k) {
                const float* from = f.filter + (v + k) * f.row + c;
                Vector lines[P * 3], line[P];
                SLTT_UNROLL
                for (int s = 0; s < 3; ++s)
                    filter_line(lines + s, 3, f.alpha * load(from + s * tap), f.alpha * load(from + (3 + s) * tap),
                                f.alpha * load(from + (6 + s) * tap));
                SLTT_UNROLL
                for (int i = 0; i < P; ++i) {
                    filter_line(line, 1, lines[3 * i], lines[3 * i + 1], lines[3 * i + 2]);
                    SLTT_UNROLL
                    for (int j = 0; j < P; ++j) points[i * P + j][k] = line[j];
                }
            }
            for (int point = 0; point < WINOGRAD_POINTS; ++point) {
                Vector square[VECTOR];
                SLTT_UNROLL
                for (int i = 0; i < VECTOR; ++i) square[i] = points[point][i];
                transpose(square);
                SLTT_UNROLL
                for (int i = 0; i < VECTOR; ++i) store(to + point * f.point_stride + i * PANEL, square[i]);
            }
        }
}

// ---- Input -----------------------------------------------------------------------------------------------------------

// INSIDE: the whole patch lies in the image; else rows [y0, y1) and columns [x0, x1) of it do.
template <bool INSIDE>
inline void input_patch(const WinogradInput& in, const float* from, float* to, int y0, int y1, int x0, int x1) {
    size_t line_stride = (size_t)in.w * in.k;
    for (int v = 0; v < in.k; v += VECTOR) {
        Vector lines[P * P], out[P];
        SLTT_UNROLL
        for (int y = 0; y < P; ++y) {
            Vector d[P];
            SLTT_UNROLL
            for (int x = 0; x < P; ++x) {
                bool inside = INSIDE || (y >= y0 && y < y1 && x >= x0 && x < x1);
                d[x] = inside ? load(from + (ptrdiff_t)(y * line_stride) + (ptrdiff_t)x * in.k + v) : Vector{};
            }
            input_line(lines + y * P, 1, d[0], d[1], d[2], d[3], d[4], d[5]);
        }
        SLTT_UNROLL
        for (int x = 0; x < P; ++x) {
            input_line(out, 1, lines[x], lines[P + x], lines[2 * P + x], lines[3 * P + x], lines[4 * P + x], lines[5 * P + x]);
            SLTT_UNROLL
            for (int y = 0; y < P; ++y) store(to + (y * P + x) * in.point_stride + v, out[y]);
        }
    }
}

void input(const WinogradInput& in) {
    int image_tiles = in.tiles_h * in.tiles_w;
    for (int t = 0; t < in.tiles; ++t) {
        int image = (in.first + t) / image_tiles, tile = (in.first + t) % image_tiles;
        int y = tile / in.tiles_w * T - in.pad, x = tile % in.tiles_w * T - in.pad;
        const float* from = in.input + (((ptrdiff_t)image * in.h + y) * in.w + x) * in.k;
        float* to = in.points + t * in.pitch;
        if (y >= 0 && x >= 0 && y + P <= in.h && x + P <= in.w)
            input_patch<true>(in, from, to, 0, P, 0, P);
        else
            input_patch<false>(in, from, to, -y, in.h - y, -x, in.w - x);
    }
}

// ---- Products --------------------------------------------------------------------------------------------------------

// N rows. Three rows share an address register, as x86 addresses scale an index by 1, 2, 4 or 8.
template <int N> void multiply_rows(const WinogradProduct& m, int row) {
    Vector sums[N][2];
    float* products = m.products + (size_t)row * PANEL;
    SLTT_UNROLL
    for (int i = 0; i < N; ++i) {
        sums[i][0] = m.add ? load(products + i * PANEL) : Vector{};
        sums[i][1] = m.add ? load(products + i * PANEL + VECTOR) : Vector{};
    }
    const float *rows[(N + 2) / 3], *filter = m.filter;
    size_t pitch = m.pitch;
    SLTT_UNROLL
    for (int i = 0; i < N; i += 3) rows[i / 3] = m.input + (row + i) * pitch;
    for (int k = 0; k < m.k; ++k) {
        Vector f0 = load(filter), f1 = load(filter + VECTOR);
        filter += PANEL;
        SLTT_UNROLL
        for (int i = 0; i < N; ++i) {
            Vector x = broadcast(rows[i / 3][i % 3 * pitch]);
            sums[i][0] = multiply_add(x, f0, sums[i][0]);
            sums[i][1] = multiply_add(x, f1, sums[i][1]);
        }
        SLTT_UNROLL
        for (int i = 0; i < N; i += 3) ++rows[i / 3];
    }
    SLTT_UNROLL
    for (int i = 0; i < N; ++i) {
        store(products + i * PANEL, sums[i][0]);
        store(products + i * PANEL + VECTOR, sums[i][1]);
    }
}

template <int N> void multiply_piece(const WinogradProduct& m, int row, int rows) {
    if (rows == N) return multiply_rows<N>(m, row);
    if constexpr (N > 1) multiply_piece<N - 1>(m, row, rows);
}

// Pieces of nearly equal size. The piece does not change a row's sums.
void multiply(const WinogradProduct& m) {
    int pieces = (m.rows + ROWS - 1) / ROWS;
    for (int i = 0; i < pieces; ++i) {
        int begin = m.rows * i / pieces, end = m.rows * (i + 1) / pieces;
        multiply_piece<ROWS>(m, begin, end - begin);
    }
}

// ---- Output ----------------------------------------------------------------------------------------------------------

void output(const WinogradOutput& o) {
    int image_tiles = o.tiles_h * o.tiles_w;
    size_t stride = o.point_stride;
    for (int t = 0; t < o.tiles; ++t) {
        int image = (o.first + t) / image_tiles, tile = (o.first + t) % image_tiles;
        int y = tile / o.tiles_w * T, x = tile % o.tiles_w * T;
        int lines = o.h - y < T ? o.h - y : T, columns = o.w - x < T ? o.w - x : T;
        for (int v = 0; v < o.channels; v += VECTOR) {
            const float* from = o.products + (size_t)t * PANEL + v;
            float* to = o.output + (((size_t)image * o.h + y) * o.w + x) * o.c + v;
            Vector half[T * P], out[T];
            SLTT_UNROLL
            for (int j = 0; j < P; ++j)
                output_line(half + j, P, load(from + j * stride), load(from + (P + j) * stride), load(from + (2 * P + j) * stride),
                            load(from + (3 * P + j) * stride), load(from + (4 * P + j) * stride), load(from + (5 * P + j) * stride));
            for (int i = 0; i < lines; ++i) {
                const Vector* m = half + i * P;
                output_line(out, 1, m[0], m[1], m[2], m[3], m[4], m[5]);
                float* line = to + (size_t)i * o.w * o.c;
                SLTT_UNROLL
                for (int j = 0; j < T; ++j)
                    if (j < columns) {
                        float* place = line + (size_t)j * o.c;
                        store(place, o.beta == 0 ? out[j] : multiply_add(o.beta, load(place), out[j]));
                    }
            }
        }
    }
}

}  // namespace

namespace sltt_cpu {
extern const WinogradKernels SLTT_WINOGRAD_TABLE;
const WinogradKernels SLTT_WINOGRAD_TABLE = {PANEL, ROWS, filter, filter_forward, input, multiply, output};
}  // namespace sltt_cpu
