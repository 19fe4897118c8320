using System.Net.Sockets;
using System.Reflection;

namespace KTls.Kernel.Tests;

public class ErrorTests
{
    [Theory]
    [InlineData("setsockopt(TCP_ULP)", ErrorNumber.ENOENT, "modprobe tls")]
    [InlineData("setsockopt(TLS_TX)", ErrorNumber.EBUSY, "key update")]
    [InlineData("setsockopt(TLS_RX)", ErrorNumber.EINVAL, "version or cipher")]
    [InlineData("recvmsg", ErrorNumber.EBADMSG, "bad_record_mac")]
    [InlineData("recvmsg", ErrorNumber.EMSGSIZE, "record_overflow")]
    [InlineData("recvmsg", ErrorNumber.EKEYEXPIRED, "TLS_RX")]
    [InlineData("recv", ErrorNumber.EIO, "control record")]
    public void A_kernel_error_names_call_errno_and_what_to_do(string call, int errno, string hint)
    {
        KernelTlsException exception = Assert.IsType<KernelTlsException>(SocketFailure.ToException(call, errno));
        Assert.Equal(call, exception.Call);
        Assert.Equal(errno, exception.Errno);
        Assert.Contains(call, exception.Message, StringComparison.Ordinal);
        Assert.Contains(ErrorNumber.NameOf(errno), exception.Message, StringComparison.Ordinal);
        Assert.Contains(hint, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ErrorNumber.ECONNRESET, SocketError.ConnectionReset)]
    [InlineData(ErrorNumber.EPIPE, SocketError.Shutdown)]
    [InlineData(ErrorNumber.ETIMEDOUT, SocketError.TimedOut)]
    [InlineData(ErrorNumber.EHOSTUNREACH, SocketError.HostUnreachable)]
    public void A_connection_error_is_what_NetworkStream_throws(int errno, SocketError expected)
    {
        IOException exception = SocketFailure.ToException("send", errno);
        Assert.Equal(expected, Assert.IsType<SocketException>(exception.InnerException).SocketErrorCode);
    }

    [Fact]
    public void Every_errno_of_the_list_has_its_own_name()
    {
        foreach (FieldInfo field in typeof(ErrorNumber).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            Assert.Equal(field.Name, ErrorNumber.NameOf((int)field.GetRawConstantValue()!));
        }

        Assert.Equal("errno 4095", ErrorNumber.NameOf(4095));
    }

    // sendfile(2) cannot be told to spare the process the signal.
    [Fact]
    public void The_runtime_ignores_SIGPIPE()
    {
        const ulong SigPipe = 1ul << (13 - 1);
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal));
        Assert.NotEqual(0ul, Convert.ToUInt64(line["SigIgn:".Length..].Trim(), 16) & SigPipe);
    }
}
