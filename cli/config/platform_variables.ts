/**
 * Returns whether a platform sets a variable for a service or container that is called `taskcast` or
 * `taskcast-…`: Kubernetes (https://kubernetes.io/docs/concepts/services-networking/service/), and
 * links of Docker. `TASKCAST_PORT=tcp://10.0.0.1:3721` is one of them, too.
 */
export function isOfPlatform(name: string, value: string): boolean {
  return /^TASKCAST(_\w+)?_SERVICE_(HOST|PORT(_\w+)?)$/.test(name) ||
    /^TASKCAST_(\w+_)?PORT$/.test(name) && isAddressOfService(name, value) ||
    /^TASKCAST(_\w+)?_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    /^TASKCAST(_\w+)?_NAME$/.test(name) && value.startsWith("/") ||
    /^TASKCAST(_\w+)?_ENV_\w+$/.test(name);
}

/** Returns whether a variable holds the address of any service, as Kubernetes sets it. */
export function isAddressOfService(name: string, value: string): boolean {
  return name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//i.test(value);
}
