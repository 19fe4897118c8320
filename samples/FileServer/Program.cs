using System.Runtime.InteropServices;
using FileServer;

// The first Ctrl-C or SIGTERM lets running requests end. A second one is left to the runtime, which ends the process at once.
using var stopping = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
return await Application.RunAsync(args, Console.Out, Console.Error, stopping.Token).ConfigureAwait(false);

void Stop(PosixSignalContext signal)
{
    if (!stopping.IsCancellationRequested)
    {
        signal.Cancel = true;
        stopping.Cancel();
    }
}
