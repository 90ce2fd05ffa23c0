import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A configuration folder with these files. */
export function folderOf(t: { testdir(): string }, files: Readonly<Record<string, string>>): string {
  const folder = t.testdir();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** As in the examples that FreeSWITCH comes with: four faults that everybody knows. */
export const asInExamples = {
  'freeswitch.xml': `<document type="freeswitch/xml">
    <X-PRE-PROCESS cmd="include" data="vars.xml"/>
    <section name="configuration"><X-PRE-PROCESS cmd="include" data="autoload_configs/*.xml"/></section>
  </document>`,
  'vars.xml': `<include>
    <!-- change this: <X-PRE-PROCESS cmd="set" data="default_password=1234"/> -->
  </include>`,
  'autoload_configs/modules.conf.xml': `<configuration name="modules.conf"><modules>
    <load module="mod_event_socket"/>
  </modules></configuration>`,
  'autoload_configs/switch.conf.xml': `<configuration name="switch.conf"><settings>
    <param name="loglevel" value="warning"/>
    <param name="api-expansion" value="false"/>
  </settings></configuration>`,
  'autoload_configs/event_socket.conf.xml': `<configuration name="event_socket.conf"><settings>
    <param name="listen-ip" value="::"/>
    <param name="password" value="ClueCon"/>
    <!--<param name="apply-inbound-acl" value="loopback.auto"/>-->
  </settings></configuration>`,
};
