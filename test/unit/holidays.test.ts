import t from 'tap';
import { holiday, holidayIn, isHoliday, plusDays, showWall, wall } from '../../src/core/time/index.ts';

/** Every day of the years on which it is that holiday. */
function daysOf(written: string, from: number, to: number): string[] {
  const days: string[] = [];
  const day = holiday(written);
  if (day === null) throw new Error(`${written} is no day`);
  for (let at = wall(`${from}-01-01`)!; at < wall(`${to + 1}-01-01`)!; at = plusDays(at, 1)) {
    // One computation: what opening hours ask day by day, rosters ask year by year.
    const date = holidayIn(day, Number(showWall(at).slice(0, 4)));
    if (isHoliday(day, at) !== (date !== null && showWall(date).slice(0, 10) === showWall(at).slice(0, 10)))
      return ['two'];
    if (isHoliday(day, at)) days.push(showWall(at).slice(0, 10));
  }
  return days;
}

void t.test('Easter, as almanacs have it', async (t) => {
  t.same(daysOf('easter', 2020, 2038), [
    '2020-04-12',
    '2021-04-04',
    '2022-04-17',
    '2023-04-09',
    '2024-03-31',
    '2025-04-20',
    '2026-04-05',
    '2027-03-28',
    '2028-04-16',
    '2029-04-01',
    '2030-04-21',
    '2031-04-13',
    '2032-03-28',
    '2033-04-17',
    '2034-04-09',
    '2035-03-25',
    '2036-04-13',
    '2037-04-05',
    '2038-04-25',
  ]);
  t.same(daysOf('easter + 1', 2026, 2026), ['2026-04-06']);
  t.same(daysOf('easter-47', 2026, 2026), ['2026-02-17'], 'Shrove Tuesday');
  t.same(daysOf('easter+50', 2026, 2026), ['2026-05-25'], 'Whit Monday');
});

void t.test('movable holidays of the United States', async (t) => {
  t.same(daysOf('4 thu nov', 2024, 2027), ['2024-11-28', '2025-11-27', '2026-11-26', '2027-11-25']);
  t.same(daysOf('last mon may', 2024, 2027), ['2024-05-27', '2025-05-26', '2026-05-25', '2027-05-31']);
  t.same(daysOf('1 mon sep', 2024, 2027), ['2024-09-02', '2025-09-01', '2026-09-07', '2027-09-06']);
  t.same(daysOf('3 mon jan', 2024, 2027), ['2024-01-15', '2025-01-20', '2026-01-19', '2027-01-18']);
  t.same(daysOf('4th thu of nov', 2024, 2027), daysOf('4 thu nov', 2024, 2027), 'plans and rosters are written alike');
  t.same(daysOf('5th sat of may', 2026, 2027), ['2026-05-30', '2027-05-29']);
  t.same(daysOf('5 thu nov', 2026, 2028), ['2028-11-30'], 'a month without a fifth one has none');
  t.same(daysOf('last sun feb', 2026, 2028), ['2026-02-22', '2027-02-28', '2028-02-27']);
});

void t.test('days with a date', async (t) => {
  t.same(daysOf('12-25', 2026, 2027), ['2026-12-25', '2027-12-25']);
  t.same(daysOf('02-29', 2026, 2032), ['2028-02-29', '2032-02-29']);
  t.same(daysOf('2026-11-27', 2026, 2027), ['2026-11-27']);
  for (const none of [
    '',
    '2026-02-30',
    '13-01',
    '00-10',
    '6 thu nov',
    '0 thu nov',
    'last thu',
    'easter-100',
    '1 mon mai',
    '1999-12-31',
    '2100-01-01',
    'easter ',
    '4 thu nov 2026',
  ]) {
    t.equal(holiday(none), null, `"${none}" is no day`);
  }
});
