#!/bin/sh
# Mosquitto beside a coordinator in a container: what the coordinator says of who may enter is brought to it, and read
# again whenever it changed. FARM, FILES and CONFIG are for tests.
set -eu

farm=${FARM:-/farm} files=${FILES:-/etc/mosquitto/farmhand} config=${CONFIG:-/farmhand/farmhand.conf}
broker=

bring() {
    for file in "$farm/broker/access" "$farm/tls/certificate.pem" "$farm/tls/key.pem" "$farm/broker/passwords"; do
        install -m 400 "$file" "$files/" || return 1
        [ "$(id -u)" -ne 0 ] || chown "${USER_OF_BROKER:-mosquitto}" "$files/${file##*/}"
    done
}
said() { cat "$farm/broker/passwords" "$farm/tls/certificate.pem" 2>/dev/null | cksum; }
end() {
    [ -z "$broker" ] || kill "$broker" 2>/dev/null || true
    wait
    exit 0
}
trap end TERM INT

until said=$(said) && bring 2>/dev/null; do sleep 1; done
# In a container the coordinator is another machine.
sed "s|^listener 1883 127.0.0.1|listener ${OWN_PORT:-1883}|; s|^listener 8883|listener ${PORT:-8883}|; \
s|/etc/mosquitto/farmhand|$files|" "$config" >"$files/mosquitto.conf"
echo "log_dest stderr" >>"$files/mosquitto.conf"
mosquitto -c "$files/mosquitto.conf" &
broker=$!
while kill -0 "$broker" 2>/dev/null; do
    now=$(said)
    if [ "$now" != "$said" ] && bring; then
        said=$now
        kill -HUP "$broker"
    fi
    sleep 1
done
wait "$broker"
