/** What stands for something that is not shown. It may stand anywhere in SIP where the thing itself may. */
export const hidden = 'xxx';
