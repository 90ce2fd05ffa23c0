// Ten lines of drachtio-srf on a signalling server, for `npm run bench -- calls`: no password, no record, no routing.
// node b2bua.mjs HOST PORT SECRET (b2bua|proxy)
import Srf from 'drachtio-srf';

const [host, port, secret, kind] = process.argv.slice(2);
const srf = new Srf();
let contact = '';
srf.register((req, res) => {
  contact = /<([^>]+)>/.exec(req.get('Contact'))[1];
  res.send(200, { headers: { Contact: req.get('Contact'), Expires: '600' } });
});
const connect = async (req, res) => {
  try {
    const { uas, uac } = await srf.createB2BUA(req, res, contact);
    uas.on('destroy', () => uac.destroy());
    uac.on('destroy', () => uas.destroy());
  } catch {
    // The call was refused or taken back.
  }
};
srf.invite((req, res) => {
  if (kind === 'proxy') srf.proxyRequest(req, [contact], { remainInDialog: true });
  else void connect(req, res);
});
srf.options((req, res) => res.send(200));
srf.on('error', () => {});
srf.on('connect', () => process.stdout.write('ready\n'));
void srf.connect({ host, port: Number(port), secret });
