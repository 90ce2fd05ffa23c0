import { callsReport } from './calls-report.ts';
import { emtalaReport } from './emtala-report.ts';
import { hipaaReport } from './hipaa-report.ts';
import type { ReportBuilder, ReportKind, ReportWorld } from './model.ts';
import { timeToHumanReport } from './time-to-human-report.ts';

export { htmlOf } from './html.ts';
export { type ReportEntry, type ReportKind, reportKinds, type ReportPage, type ReportWorld } from './model.ts';

export const reports: Readonly<Record<ReportKind, (world: ReportWorld) => ReportBuilder>> = {
  emtala: emtalaReport,
  'hipaa-access': hipaaReport,
  calls: callsReport,
  'time-to-human': timeToHumanReport,
};
