using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace ManagedCuda;

public static partial class DriverAPINativeMethods
{
    /// <summary>Copies that are done when the call returns (device to device: in order on the default stream).</summary>
    public static unsafe partial class SynchronousMemcpy_v2
    {
        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemcpy(CUdeviceptr dst, CUdeviceptr src, SizeT ByteCount);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemcpyDtoD_v2(CUdeviceptr dstDevice, CUdeviceptr srcDevice, SizeT ByteCount);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, IntPtr srcHost, SizeT ByteCount);

        [LibraryImport(CUDA_DRIVER_API_DLL_NAME)]
        public static partial CUResult cuMemcpyDtoH_v2(IntPtr dstHost, CUdeviceptr srcDevice, SizeT ByteCount);

        /// <summary>From a host array to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, byte[] srcHost, SizeT ByteCount)
        {
            fixed (byte* source = srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host array.</summary>
        public static CUResult cuMemcpyDtoH_v2(byte[] dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (byte* destination = dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host variable to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ref byte srcHost, SizeT ByteCount)
        {
            fixed (byte* source = &srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host variable.</summary>
        public static CUResult cuMemcpyDtoH_v2(ref byte dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (byte* destination = &dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host array to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, sbyte[] srcHost, SizeT ByteCount)
        {
            fixed (sbyte* source = srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host array.</summary>
        public static CUResult cuMemcpyDtoH_v2(sbyte[] dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (sbyte* destination = dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host variable to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ref sbyte srcHost, SizeT ByteCount)
        {
            fixed (sbyte* source = &srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host variable.</summary>
        public static CUResult cuMemcpyDtoH_v2(ref sbyte dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (sbyte* destination = &dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host array to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ushort[] srcHost, SizeT ByteCount)
        {
            fixed (ushort* source = srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host array.</summary>
        public static CUResult cuMemcpyDtoH_v2(ushort[] dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (ushort* destination = dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host variable to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ref ushort srcHost, SizeT ByteCount)
        {
            fixed (ushort* source = &srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host variable.</summary>
        public static CUResult cuMemcpyDtoH_v2(ref ushort dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (ushort* destination = &dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host array to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, short[] srcHost, SizeT ByteCount)
        {
            fixed (short* source = srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host array.</summary>
        public static CUResult cuMemcpyDtoH_v2(short[] dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (short* destination = dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host variable to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ref short srcHost, SizeT ByteCount)
        {
            fixed (short* source = &srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host variable.</summary>
        public static CUResult cuMemcpyDtoH_v2(ref short dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (short* destination = &dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host array to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, uint[] srcHost, SizeT ByteCount)
        {
            fixed (uint* source = srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host array.</summary>
        public static CUResult cuMemcpyDtoH_v2(uint[] dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (uint* destination = dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host variable to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ref uint srcHost, SizeT ByteCount)
        {
            fixed (uint* source = &srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host variable.</summary>
        public static CUResult cuMemcpyDtoH_v2(ref uint dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (uint* destination = &dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host array to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, int[] srcHost, SizeT ByteCount)
        {
            fixed (int* source = srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host array.</summary>
        public static CUResult cuMemcpyDtoH_v2(int[] dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (int* destination = dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host variable to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ref int srcHost, SizeT ByteCount)
        {
            fixed (int* source = &srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host variable.</summary>
        public static CUResult cuMemcpyDtoH_v2(ref int dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (int* destination = &dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host array to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ulong[] srcHost, SizeT ByteCount)
        {
            fixed (ulong* source = srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host array.</summary>
        public static CUResult cuMemcpyDtoH_v2(ulong[] dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (ulong* destination = dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host variable to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ref ulong srcHost, SizeT ByteCount)
        {
            fixed (ulong* source = &srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host variable.</summary>
        public static CUResult cuMemcpyDtoH_v2(ref ulong dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (ulong* destination = &dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host array to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, long[] srcHost, SizeT ByteCount)
        {
            fixed (long* source = srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host array.</summary>
        public static CUResult cuMemcpyDtoH_v2(long[] dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (long* destination = dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host variable to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ref long srcHost, SizeT ByteCount)
        {
            fixed (long* source = &srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host variable.</summary>
        public static CUResult cuMemcpyDtoH_v2(ref long dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (long* destination = &dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host array to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, float[] srcHost, SizeT ByteCount)
        {
            fixed (float* source = srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host array.</summary>
        public static CUResult cuMemcpyDtoH_v2(float[] dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (float* destination = dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host variable to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ref float srcHost, SizeT ByteCount)
        {
            fixed (float* source = &srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host variable.</summary>
        public static CUResult cuMemcpyDtoH_v2(ref float dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (float* destination = &dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host array to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, double[] srcHost, SizeT ByteCount)
        {
            fixed (double* source = srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host array.</summary>
        public static CUResult cuMemcpyDtoH_v2(double[] dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (double* destination = dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }

        /// <summary>From a host variable to the device.</summary>
        public static CUResult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, ref double srcHost, SizeT ByteCount)
        {
            fixed (double* source = &srcHost)
            {
                return cuMemcpyHtoD_v2(dstDevice, (IntPtr)source, ByteCount);
            }
        }

        /// <summary>From the device to a host variable.</summary>
        public static CUResult cuMemcpyDtoH_v2(ref double dstHost, CUdeviceptr srcDevice, SizeT ByteCount)
        {
            fixed (double* destination = &dstHost)
            {
                return cuMemcpyDtoH_v2((IntPtr)destination, srcDevice, ByteCount);
            }
        }
    }
}
