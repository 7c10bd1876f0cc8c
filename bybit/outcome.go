package bybit

import (
	"slices"
	"strings"
)

// codeGroup is codes that say the same about a write.
type codeGroup struct {
	reason string
	codes  []int
}

// reasonOf returns the reason of the group that has a code, or "". Linear: refusals are rare.
func reasonOf(groups []codeGroup, code int) string {
	for i := range groups {
		if slices.Contains(groups[i].codes, code) {
			return groups[i].reason
		}
	}
	return ""
}

// idUsed is the reason of codes that say that an id of the user's was used before.
const idUsed = "the id was used before: this request does nothing, the first one has"

// openCodes are the codes of the V5 page error whose words leave open what became of a write,
// whatever it was to change.
var openCodes = []codeGroup{
	{"expired on the way inside; how far it came is not said", []int{-1}},
	{"overloaded: says to try again, not that nothing happened", []int{
		429, 131230, 148019, 148034, 148035, 177002,
	}},
	{"nothing was heard from inside in time; it may have gone through", []int{
		10000, 170007, 170146, 170147, 170310,
	}},
	{"a repeated request: the first one may have gone through", []int{
		10014, 20006, 131082, 176014, 176021, 177018, 180031,
	}},
	{"an internal error, or a restart in the middle of it", []int{10016}},
	{"changed while it was being replaced: the order has to be looked up", []int{40004}},
	{"orders were still being cancelled when the position was taken over", []int{110035}},
	{"an internal error: what became of it is not said", []int{
		131001, 131003, 131200, 131201, 170001, 170234, 180000, 180018, 500000, 500001, 790000,
		3400214, 34022001, 34022003,
	}},
	{"what is inside could not be reached; it may have gone through", []int{60071, 170032, 700003}},
	{"accepted for processing, and no word yet", []int{170035, 170212, 3777012}},
	{"a warning that it may not be filled, not that it is not there", []int{170195, 170196}},
	{"something like it is under way: perhaps this one, sent twice", []int{
		148021, 148041, 700021, 3777043, 34022038, 35000011,
	}},
	{"a strategy's order failed or is gone: whether others stand is not said", []int{
		60068, 60073, 60080,
	}},
	{"something could not be looked up inside: how far it came is not said", []int{
		131204, 131205, 131209, 131216, 176002, 176003, 176030, 176135, 176136,
	}},
}

// notTaken are the codes of that page which say that the request was turned away before
// anybody looked at what it asks for: because of its address, its path, its key, its signature, its
// time, or how many there were. Such a request may be signed and sent again.
var notTaken = []codeGroup{
	{"the key has expired", []int{-2015, 33004}},
	{"the request is malformed for HTTP", []int{400}},
	{"turned away before authentication", []int{401}},
	{"turned away at the door: the address asked too often, or its country is served elsewhere", []int{
		403,
	}},
	{"no such path", []int{404}},
	{"outside the time window", []int{10002}},
	{"the key is unknown here, or has too many sessions", []int{10003}},
	{"the signature is wrong", []int{10004}},
	{"the key may not do this", []int{10005}},
	{"not authenticated", []int{10007}},
	{"the key is bound to other addresses", []int{10010}},
	{"over the rate limit", []int{10006, 10018, 10403, 10429}},
	{"no such route, operation or category", []int{10017, 10404}},
}

// refusals are the codes of that page which say that the exchange has looked at the request and
// said no: nothing has happened. A code is taken for a refusal on positive evidence only, since who
// takes an order or a transfer that stands for a refused one makes it twice.
var refusals = []codeGroup{
	{"a parameter is wrong", []int{
		10001, 60075, 60076, 60077, 60084, 60086, 60088, 60089, 60090, 60091, 60092, 60093, 60094,
		60095, 61001, 61002, 61003, 61004, 61005, 61006, 61007, 110049, 110050, 110108, 110109, 110305,
		110306, 110308, 110309, 110310, 110311, 110318, 131002, 131081, 131202, 131203, 131210, 131211,
		131215, 148007, 148008, 148015, 148016, 148017, 148039, 148040, 170105, 170115, 170116, 170117,
		170121, 170130, 170201, 170202, 170221, 176004, 176034, 177003, 177019, 180001, 180006, 180019,
		180021, 180028, 181000, 181001, 181002, 181003, 181004, 181005, 181006, 181007, 181008, 181009,
		181010, 181011, 181012, 181013, 181018, 181019, 182000, 182201, 182202, 182203, 400000, 700000,
		790001, 3100326, 3500402, 3500404, 3500405, 3500406, 3500407, 34022014, 34022027, 34022033,
		34022034,
	}},
	{"over a rate limit inside", []int{20003, 170005, 170222}},
	{"the account is barred from this", []int{
		10008, 10009, 10024, 10027, 60069, 110066, 110124, 131078, 131089, 131090, 131091, 131092,
		140004, 176201, 177020, 180003, 3100197, 34022052,
	}},
	{"the exchange is not taking it for now", []int{
		10019, 110071, 110074, 110095, 110098, 110100, 110103, 131097, 131206, 131208, 140003, 148031,
		170031, 170151, 170157, 170159, 170206, 170217, 176018, 176019, 176022, 176023, 176039, 177008,
		180009, 180023, 180029, 700013, 700022, 34022035, 34022048, 34022051,
	}},
	{"the account is of the wrong kind for this", []int{
		10028, 100028, 110018, 110067, 110088, 110097, 110111, 131084, 140001, 176134, 181014, 182021,
		182105, 182200, 500010, 500011, 700012, 3100181, 3777007,
	}},
	{"the symbol is not on the list the key or account may trade", []int{
		10029, 30133, 30134, 110106, 170709,
	}},
	{"a second authentication changes nothing", []int{20001}},
	{"cancelled too soon after it was placed", []int{30035}},
	{"the leverage is above what the loan allows", []int{30135, 30136, 110087, 110107, 170216}},
	{"the price is beyond what is allowed now", []int{
		30208, 30209, 110003, 110116, 110120, 110121, 170132, 170133, 170192, 170193, 170194, 170203,
		170204, 170371, 170372, 180026, 180030, 700001, 700002, 700008, 700016,
	}},
	{"the contract is being delisted or settled: nothing new is taken", []int{
		30228, 110042, 110063, 110137,
	}},
	{"the loan or its limits do not allow it", []int{
		30256, 110069, 110080, 110102, 110104, 110105, 110131, 170215, 170220, 170223, 170230, 182103,
		3200316, 3200317, 3200320,
	}},
	{"it is set so already", []int{34040, 110025, 110026, 110027, 110043, 110075}},
	{"there is no such order", []int{110001, 170143, 170213}},
	{"the money does not cover it", []int{
		110004, 110006, 110007, 110012, 110014, 110044, 110045, 110051, 110052, 110053, 131085, 131212,
		131228, 148010, 148011, 148012, 148020, 148022, 148029, 148037, 170033, 170131, 170207, 176015,
		177006, 177011, 177012, 180015, 180016, 182101, 400006, 400007, 400105, 404011, 700005, 700010,
		700011, 3400071, 3777040, 34022030, 34022049,
	}},
	{"the position is in a state that does not allow it", []int{110005, 110033, 110034, 110041}},
	{"the order is already done or cancelled", []int{
		60062, 60074, 110008, 110010, 148024, 148025, 170139, 170142, 170190,
	}},
	{"there are as many orders as allowed already", []int{
		60063, 60064, 110009, 110020, 110061, 110307, 148018, 170810,
	}},
	{"it would lead to a liquidation", []int{110011, 110039, 110040, 110046, 182100}},
	{"leverage and risk limit do not go together", []int{
		110013, 110016, 110031, 110047, 110048, 110078, 110085, 110086, 110089, 110090, 170034,
		3400139,
	}},
	{"the margin mode does not allow it", []int{
		110015, 110036, 110038, 110073, 110076, 110077, 110096, 110101, 110110, 110135, 3200403,
		3200419, 3200425, 3401010,
	}},
	{"the quantity rounds to nothing", []int{110017}},
	{"the order is named wrongly", []int{110019, 110032}},
	{"the position limit or the open interest does not allow it", []int{
		110021, 110022, 170010, 170011, 170019,
	}},
	{"only reductions are taken", []int{110023, 110082, 110083}},
	{"the position mode does not fit", []int{110024, 110028, 110029, 110113, 110313, 3400208}},
	{idUsed, []int{110030, 110072, 131214, 170141, 180025, 700009}},
	{"the account has no setting of that symbol", []int{110037}},
	{"orders that are linked to the position are in the way", []int{
		110054, 110055, 110056, 110059, 110060,
	}},
	{"take profit and stop loss do not fit here", []int{110057, 110058, 110099}},
	{"market maker protection is not set up", []int{110062, 110065}},
	{"less than what is filled already", []int{110064, 170313}},
	{"the account may not trade this or in this way", []int{
		60081, 110068, 110070, 110112, 110119, 110123, 110125, 110132, 110136, 110304, 110317, 170036,
		170037, 170209, 170219, 170224, 170226, 170227, 170241, 170344, 170346, 170348, 170355, 170358,
		170359, 170360,
	}},
	{"the order is being processed and cannot be touched now", []int{110079, 110114, 170144, 170191}},
	{"the trigger price is on the wrong side", []int{110092, 110093}},
	{"the size is too small", []int{
		60066, 60085, 60200, 110094, 110303, 110314, 148002, 170136, 170140, 176025, 177009, 177016,
		700006, 34022011,
	}},
	{"a leg is changed by its combination only", []int{110115, 110117}},
	{"nobody to trade with at a price that could be told", []int{110118}},
	{"the size is too large", []int{
		60067, 60087, 60201, 110315, 110319, 131086, 131088, 131095, 131096, 131239, 148006, 148038,
		148047, 148048, 170124, 170197, 170198, 170199, 170200, 170228, 170229, 170341, 170381, 170382,
		176017, 176026, 176027, 176028, 176029, 177007, 177010, 177013, 177014, 177015, 180012, 180013,
		180014, 400005, 700007, 3777039, 34022107, 34022108,
	}},
	{"too many decimals", []int{
		148003, 148005, 148028, 148042, 170134, 170137, 170148, 176031, 176132, 177004,
	}},
	{"it cannot be cancelled or changed by its kind", []int{170145, 170312}},
	{"failed, and says so", []int{
		60061, 60072, 148026, 148036, 170149, 170150, 170311, 176005, 176006, 176137, 177021, 34022044,
		34022045,
	}},
	{"rejected as an order", []int{170210, 170218}},
	{"it is no final state yet", []int{181017}},
	{"the collateral cannot be switched", []int{182011, 182108, 182110, 182111, 182112, 3200641}},
	{"nothing is owed", []int{148032, 176016, 182102, 34022041}},
	{"the account cannot be upgraded now", []int{
		3400052, 3400053, 3400054, 3400209, 3400210, 3400211, 3400212, 3400213,
	}},
	{"the account may not do this, or not without checks of its person", []int{
		20096, 61010, 81007, 110302, 110312, 110316, 110323, 131004, 131065, 131071, 131079, 131080,
		131083, 131094, 131226, 131227, 131229, 131233, 140002, 141004, 141019, 141020, 141027, 148013,
		148027, 176007, 176008, 176009, 176024, 176037, 176038, 176139, 180004, 180005, 180010, 180011,
		180017, 180022, 180024, 180027, 182204, 182205, 400001, 400002, 400003, 400004, 403001, 409011,
		3500002, 3500153, 3500403, 3500415, 3777030, 34022036, 34022047, 34022053,
	}},
	{"the receiving side does not take it", []int{
		131066, 131067, 131068, 131069, 131070, 131072, 131073, 131074, 131075, 131076, 131077, 131093,
		131098, 131099, 131231, 131232,
	}},
	{"there is no such account, coin, order or product", []int{
		60065, 60078, 60082, 60083, 61000, 61009, 110300, 110301, 110320, 110321, 111008, 131207,
		148001, 148004, 148014, 148023, 148030, 148033, 176010, 176011, 176012, 176013, 176020, 177005,
		177017, 180002, 180007, 180008, 180020, 400101, 400102, 400103, 404001, 700004, 3777002,
		3777003, 3777004, 3777006, 3777042, 34022010, 34022094,
	}},
	{"a check of the account does not let it through", []int{
		60070, 60079, 61008, 131087, 131213, 131217, 140005, 148009, 176133, 182104, 182107, 34022031,
	}},
	{"something else has to be ended first", []int{
		141025, 176035, 176036, 176040, 176138, 182106, 3777005, 3777027, 3777029, 34022050,
	}},
}

// seen are refusals that the documentation does not have, by the words that users of the API
// report them with.
var seen = []codeGroup{
	{"a parameter is of the wrong type", []int{7001}},
	{"the account is of the wrong kind for this", []int{10020}},
	{"demo trading has no such call", []int{10032}},
	{"the account may not do this", []int{912000014}},
}

// codeAssetService is documented as an internal error, and comes with these words when a
// balance does not cover a withdrawal.
const codeAssetService = 131001

func (e *Error) lacksMoney() bool {
	words := strings.ToLower(e.Message)
	return e.Code == codeAssetService && (strings.Contains(words, "insufficient") || strings.Contains(words, "not sufficient"))
}

// botRefusals are the codes in the status_code of a bot that say that nothing has happened.
// As a retCode some of them mean something else.
var botRefusals = []codeGroup{
	{"a parameter is wrong", []int{400}},
	{"not authenticated, or the money does not cover it", []int{401}},
	{"there is no such bot", []int{404}},
	{"the bot is being closed or has been", []int{405}},
	{"the account is barred from this", []int{421}},
	{"over the rate limit", []int{429}},
	{"the bot is buying and cannot be closed now", []int{503}},
}
